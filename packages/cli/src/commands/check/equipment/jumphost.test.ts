/** `skolo check equipment --jumphost`, through the system's ssh and a real sshd, as a user without root. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { noNamespaces } from '@skolo/fleet/testing';
import { lacks, startJumphost } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { complete } from '../../../program.ts';
import { testIo } from '../../../testing/test-io.ts';

const rackYaml = `rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8 }
machines:
  rpi-001: { kind: rpi, address: 192.168.1.11 }
services: { power-cycle-daemon: { endpoints: { pdudaemon: { allow: [192.168.1.0/24] } } } }
`;

/** As on a Debian 12 with cgroup v2. */
const ports = `udp   UNCONN 0      0      192.168.1.8:67        0.0.0.0:*    uid:997 ino:1 sk:1 cgroup:/system.slice/dnsmasq.service <->
udp   UNCONN 0      0          0.0.0.0:123       0.0.0.0:*    ino:2 sk:2 cgroup:/system.slice/ntpsec.service <->
tcp   LISTEN 0      511        0.0.0.0:80        0.0.0.0:*    ino:3 sk:3 cgroup:/system.slice/nginx.service <->
tcp   LISTEN 0      511           [::]:80           [::]:*    ino:4 sk:4 v6only:1 cgroup:/system.slice/nginx.service <->
tcp   LISTEN 0      128        0.0.0.0:22        0.0.0.0:*    ino:5 sk:5 cgroup:/system.slice/ssh.service <->
tcp   LISTEN 0      128      127.0.0.1:16421      0.0.0.0:*    uid:33 ino:6 sk:6 <->
tcp   LISTEN 0      4096             *:10250           *:*    ino:7 sk:7 v6only:0 cgroup:/system.slice/kubelet.service <->
tcp   LISTEN 0      511    192.168.1.8:20012     0.0.0.0:*    ino:8 sk:8 cgroup:/system.slice/skolo-power-cycle-daemon.service <->
tcp   LISTEN 0      511    192.168.1.8:20010     0.0.0.0:*    ino:9 sk:9 cgroup:/kubepods.slice/kubepods-burstable.slice/cri-containerd-1.scope <->
tcp   LISTEN 0      4096       0.0.0.0:9100      0.0.0.0:*    users:(("MainThread",pid=PID,fd=3)) uid:1000 ino:10 sk:a <->
`;

const programs = {
  ss: `cat <<'END'\n${ports}END`,
  ip: `case $2 in
  address) echo '2: eth0    inet 192.168.1.11/24 brd 192.168.1.255 scope global eth0' ;;
  *) echo 'default via 192.168.1.1 dev eth0'
    echo 'default dev skolo-last scope link metric 2147483647' ;;
esac`,
  timedatectl: "echo 'Timezone=Europe/Berlin'; echo NTPSynchronized=no",
  systemctl: `case $1 in
  list-units) echo 'pdudaemon.service loaded active running pdudaemon'
  echo 'backup.timer loaded failed failed Backup'
  echo 'ssh.service loaded active running OpenSSH' ;;
  *) exit 3 ;;
esac`,
};

const Look = z.object({
  jumphost: z.object({
    sent: z.array(z.array(z.string())),
    facts: z.array(z.object({ name: z.string(), text: z.string() })),
    isComplete: z.boolean(),
  }),
  findings: z.array(
    z.object({
      kind: z.string().optional(),
      state: z.string(),
      found: z.string(),
      advice: z.string().optional(),
    }),
  ),
});

async function start(options: Parameters<typeof startJumphost>[0]) {
  const dir = await tempDir();
  const jumphost = await startJumphost({ name: 'jump', isNobody: true, ...options });
  if (jumphost === undefined) throw new Error('sshd is not installed');
  onTestFinished(() => jumphost.close());
  await writeFile(join(dir, 'rack.yaml'), rackYaml);
  const env = { PATH: `${jumphost.bin}:${process.env.PATH}`, HOME: dir, XDG_RUNTIME_DIR: dir };
  async function run(...more: string[]) {
    const printed: string[] = [];
    const io = testIo({ env, folder: dir, out: (text) => printed.push(text) });
    const args = ['check', 'equipment', join(dir, 'rack.yaml'), '--jumphost', 'jump', ...more];
    return { exitCode: await complete(args, io), out: printed.join('\n') };
  }
  async function look(...more: string[]) {
    const { out, exitCode } = await run('--json', ...more);
    const { jumphost: read, findings } = Look.parse(JSON.parse(out));
    return {
      ...read,
      exitCode,
      problems: findings.flatMap(({ kind, found, advice }) =>
        kind === undefined ? [] : [{ kind, what: [found, advice].filter(Boolean).join('; ') }],
      ),
      notes: findings.flatMap(({ state, found }) =>
        state === 'info' && found.includes(' not read: ') ? [found] : [],
      ),
    };
  }
  return { jumphost, dir, run, look };
}

describe.skipIf(lacks('ssh', 'sshd'))('a look at a jumphost', () => {
  it('names ports, units and addresses that collide', async () => {
    const script = 'setInterval(() => {}, 1e6)';
    const args = ['-e', script, '/opt/other\u001b[2J\n.js', '--key=/hunter2', '/opt/server.js'];
    const child = spawn(process.execPath, args, { argv0: 'node' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ss = programs.ss.replace('PID', String(child.pid));
    const { jumphost, look, run } = await start({ programs: { ...programs, ss } });

    const plan = await run('--plan');
    expect(await jumphost.commands()).toEqual([]);
    const { facts, problems, notes, exitCode, isComplete } = await look();

    const of = (name: string) =>
      problems.flatMap(({ kind, what }) => (kind === name ? [what] : []));
    expect({ exitCode, isComplete, notes }).toEqual({ exitCode: 1, isComplete: true, notes: [] });
    expect(of('ports')).toEqual([
      'ntpsec.service listens on udp 123 (0.0.0.0), which chrony requires; stop it, or change its port',
      'nginx.service listens on tcp 80 (0.0.0.0, [::]), which metadata-server requires; stop it, or let it continue until you cut metadata-server over (docs/adopt/existing-system.md)',
      'a program of user 33 listens on tcp 16421 (127.0.0.1), which the pdudaemon endpoint of power-cycle-daemon requires; stop it, or change its port',
      'kubelet.service listens on tcp 10250 (*), which k3s requires; stop it, or change its port',
      `the program node /opt/server.js (process ${child.pid}) listens on tcp 9100 (0.0.0.0), which node-exporter requires; stop it, or change its port`,
    ]);
    expect(of('units')).toEqual([
      'backup.timer has failed; run journalctl -u backup.timer to see why',
      expect.stringMatching(/^pdudaemon.service is running and may switch the same outlets; /),
    ]);
    expect(of('addresses')).toEqual([
      expect.stringMatching(/^no interface has 192.168.1.8, the address of jumphost in rack.yaml/),
      'an interface has 192.168.1.11, the address of rpi-001 in rack.yaml',
    ]);
    expect(of('clock')).toEqual([expect.stringMatching(/^the clock is not synchronised; /)]);
    const texts = new Map(facts.map(({ name, text }) => [name, text]));
    expect(texts.get('system')).toMatch(/^\w+ \d+, Linux [\d.]+\S*, \w+, [\d.]+ GiB of memory$/);
    expect(texts.get('disks')).toMatch(/ of \d+ GiB free/);
    expect(texts.get('ports')).toMatch(/serves DHCP \(dnsmasq.service\); serves NTP/);
    expect(texts.get('routes')).toBe('default via 192.168.1.1 dev eth0');
    const came = (await jumphost.commands()).join('\n');
    for (const line of plan.out.split('\n').filter((each) => each.startsWith('  '))) {
      expect(came.replaceAll(`'\\''`, "'")).toContain(line.slice(2));
    }
  });

  it.skipIf(noNamespaces ?? lacks('ip'))('reads without root', async () => {
    const network = await startNetwork([80, 20_013]);
    const id = 'echo "Timezone=$(id -u)"; echo NTPSynchronized=yes';
    const { look } = await start({ networkOf: network, programs: { timedatectl: id } });

    const { facts, problems, notes } = await look();

    const texts = new Map(facts.map(({ name, text }) => [name, text]));
    expect(texts.get('clock')).not.toBe('synchronised, 0');
    expect(texts.get('addresses')).toBe('eth0 192.168.1.8/24');
    const ports = problems.filter(({ kind }) => kind === 'ports').map(({ what }) => what);
    expect(ports).toEqual([
      expect.stringMatching(
        /^a program of user 0 listens on tcp (80|20013) \(192.168.1.8\), which /,
      ),
      expect.stringMatching(
        /^a program of user 0 listens on tcp (80|20013) \(192.168.1.8\), which /,
      ),
    ]);
    // No systemd here.
    expect(notes).toEqual([expect.stringMatching(/^units not read: /)]);
  });

  it('says what it could not read, and goes on', async () => {
    const { look } = await start({
      programs: {
        ...programs,
        ss: 'exec no-such-program',
        ip: 'while :; do echo 1234567890; done',
      },
    });

    const { problems, notes, isComplete } = await look();

    expect(notes).toEqual([expect.stringMatching(/^ports not read: .*not found$/)]);
    const failed = problems.filter(({ kind }) => kind === 'failed').map(({ what }) => what);
    expect(failed).toEqual([
      'addresses: jump: a command printed more than 1048576 bytes',
      'routes: jump: a command printed more than 1048576 bytes',
    ]);
    expect(isComplete).toBe(true);
  });

  it('gives up a jumphost that hangs or rejects its user', async () => {
    const { look, jumphost, run } = await start({
      programs: { ...programs, timedatectl: 'exec sleep 60' },
    });

    const hanging = await look('--timeout', '5s');
    const config = await readFile(jumphost.sshConfig, 'utf8');
    await writeFile(jumphost.sshConfig, config.replace(/IdentityFile .*/, 'IdentityFile none'));
    const { out } = await run();

    expect(hanging.problems.at(-1)).toEqual({
      kind: 'failed',
      what: expect.stringMatching(/^\w+: jump: no response within 5 s; try again$/),
    });
    expect(hanging.isComplete).toBe(false);
    expect(out).toMatch(/^jumphost: not checked: system: jump: /m);
    expect(out).toMatch(/^jumphost: not checked: not read completely$/m);
    expect(out).toMatch(
      /^rack4: 0 pieces of equipment, the jumphost, no problems, 2 not checked$/m,
    );
  });

  it('takes only a host, and no option of ssh', async () => {
    const err: string[] = [];
    const args = ['check', 'equipment', 'rack.yaml', '--jumphost=-oProxyCommand=x'];

    const exitCode = await complete(args, testIo({ err: (text) => err.push(text) }));

    expect(exitCode).toBe(2);
    expect(err.join('')).toContain('expected [USER@]HOST');
  });
});

/** A process in a network namespace of its own that has the jumphost's address and listens on these ports. */
async function startNetwork(listening: readonly number[]): Promise<number> {
  const program = `for (const port of [${listening}]) require('node:net').createServer().listen(port, '192.168.1.8'); console.log('up')`;
  const script = `ip link add eth0 type veth peer name eth1; ip link set eth0 up; ip link set eth1 up
ip address add 192.168.1.8/24 dev eth0; exec "$0" -e "$1"`;
  const child = spawn('unshare', ['-n', 'sh', '-ec', script, process.execPath, program]);
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stdout === null || child.pid === undefined) throw new Error('unshare does not start');
  await once(child.stdout, 'data');
  return child.pid;
}
