import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { lacks, peer, type SshDevice, startSshDevice, startSshd } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { sshArguments } from './ssh.ts';
import { type Lab, missing, never, present, startLab, unreadable } from './testing/lab.ts';

interface Remote extends Lab {
  root: string;
  write(file: string, text: string): Promise<void>;
  program(name: string, script: string): Promise<void>;
}

let sshd: Awaited<ReturnType<typeof startSshd>>;
/** What sshd runs: of the last remote. */
let shell = '';
const folder = await tempDir(afterAll);
beforeAll(async () => {
  if (peer('ssh') === undefined) return;
  shell = join(folder, 'shell');
  sshd = await startSshd(`sh ${shell}`);
});
afterAll(async () => {
  await sshd?.close();
});

function signInTo(
  { username, port, privateKeyFile }: Pick<SshDevice, 'username' | 'port' | 'privateKeyFile'>,
  { settings }: Lab,
): void {
  Object.assign(settings.ssh, { user: username, port, privateKey: privateKeyFile });
}

/** A computer behind a real sshd, whose files are those of a folder. */
async function startRemote(context: TestContext, files: Record<string, string>): Promise<Remote> {
  if (sshd === undefined) return context.skip('ssh or sshd is not installed');
  const lab = await startLab();
  const root = join(lab.dir, 'root');
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  const program = async (name: string, script: string) => {
    await write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
    await chmod(join(root, 'bin', name), 0o755);
  };
  for (const [file, text] of Object.entries(files)) await write(file, text);
  await writeFile(
    shell,
    `PATH=${root}/bin:/usr/bin:/bin
asked=$(printf '%s' "$SSH_ORIGINAL_COMMAND" | sed 's#/\\(proc\\|etc\\|sys\\)/#${root}/\\1/#g')
sh -c "$asked" > ${root}/said; status=$?
sed 's#${root}##' ${root}/said
exit $status
`,
  );
  signInTo(sshd, lab);
  return { ...lab, root, write, program };
}

const chromebook = {
  'proc/uptime': '86400.31 340000.10\n',
  'etc/lsb-release': `CHROMEOS_RELEASE_NAME=Chrome OS
CHROMEOS_RELEASE_CHROME_MILESTONE=89
CHROMEOS_RELEASE_TRACK=stable-channel
CHROMEOS_RELEASE_VERSION=13729.56.0
CHROMEOS_RELEASE_BOARD=eve
`,
  'sys/class/thermal/thermal_zone0/type': 'x86_pkg_temp\n',
  'sys/class/thermal/thermal_zone0/temp': '41000\n',
  'sys/class/power_supply/BAT0/type': 'Battery\n',
  'sys/class/power_supply/BAT0/capacity': '96\n',
};

const device = { kind: 'chromeos', address: '127.0.0.1' } as const;

describe('a Chromebook', () => {
  it('has its release, its battery and its temperatures, by one process', async (context) => {
    const { open, ran } = await startRemote(context, chromebook);

    expect(await present(open(device))).toEqual({
      dimensions: {
        os: ['ChromeOS'],
        release_version: ['13729.56.0'],
        chromeos_milestone: ['89'],
        chromeos_channel: ['stable-channel'],
      },
      batteryPercent: 96,
      temperatures: { x86_pkg_temp: 41 },
      processorSensors: ['x86_pkg_temp'],
      uptimeSeconds: 86_400.31,
    });
    expect(ran).toHaveLength(1);
  });

  it('may end its lines as terminals do, and have no sensors', async (context) => {
    const { open } = await startRemote(context, {
      'proc/uptime': '5.00 6.00\r\n',
      'etc/lsb-release': 'CHROMEOS_RELEASE_TRACK=dev-channel\r\n',
    });

    expect(await present(open(device))).toEqual({
      dimensions: { os: ['ChromeOS'], chromeos_channel: ['dev-channel'] },
      temperatures: {},
      processorSensors: [],
      uptimeSeconds: 5,
    });
  });

  it('has a wrong entry where it reports another system, and is missing where it reports none', async (context) => {
    const { open, write } = await startRemote(context, {
      'proc/uptime': '5 6\n',
      'etc/lsb-release': 'DISTRIB_ID=x\n',
    });
    const chromeos = open(device);

    expect(await unreadable(chromeos)).toEqual({
      code: 'rack-yaml',
      why: expect.stringMatching(/kind: linux/),
    });
    await write('etc/lsb-release', '');
    expect(await missing(chromeos)).toMatch(/not from ChromeOS/);
  });
});

describe('a Chromebook that misbehaves', () => {
  let there: SshDevice | undefined;
  beforeAll(async () => {
    there = peer('ssh') === undefined ? undefined : await startSshDevice();
  });
  afterAll(() => there?.close());

  /** The same for all of these tests; each ends the faults of the one before. */
  async function startChromebook(context: TestContext): Promise<Lab & { there: SshDevice }> {
    if (there === undefined) return context.skip('ssh or sshd is not installed');
    await there.behave();
    const lab = await startLab();
    signInTo(there, lab);
    return { ...lab, there };
  }

  it.for([
    { fault: 'no port', why: /^ssh: .*refused/ },
    { fault: 'silence', why: /took longer than 3 s|timed out/ },
    {
      fault: 'wrong-key',
      why: /rejects this machine's SSH key .*authorized_keys/,
      code: 'needs-person',
    },
    {
      fault: 'other-host-key',
      why: /host key has changed; .*known_hosts/,
      code: 'needs-person',
    },
    // On a busy computer ssh may not get as far as the command that hangs.
    { fault: 'hangs', why: /^ssh took longer than 3 s$|timed out/ },
    { fault: 'drops-mid-way', why: /./ },
    { fault: 'garbage', why: /did not report a valid uptime/ },
    { fault: 'empty-answers', why: /did not report a valid uptime: ""/ },
  ] as const)(
    'is missing, in time, and well again: $fault',
    async ({ fault, why, ...its }, context) => {
      const { open, there, settings, pass } = await startChromebook(context);
      const chromeos = open(device);
      // Whose host key is known.
      if (fault === 'other-host-key') await present(chromeos);
      if (fault === 'no port') await there.relay.close();
      else if (fault === 'silence') there.relay.inject({ effect: 'silence' });
      else await there.misbehave(fault);
      settings.ssh.commandSeconds = ['silence', 'hangs'].includes(fault) ? 3 : 60;

      expect(await chromeos.read(never)).toEqual({
        state: 'missing',
        why: expect.stringMatching(why),
        ...its,
      });

      await there.behave();
      pass(60);
      settings.ssh.commandSeconds = 60;
      expect((await present(chromeos)).dimensions.chromeos_milestone).toEqual(['89']);
    },
  );

  // What a real ssh and sshd say is above.
  it.for(['chromeos', 'auto'] as const)(
    'and rejects the login is asked once, then after 1, 2, 5 and each 10 minutes: %s',
    async (kind) => {
      const { open, deps, pass, settings } = await startLab();
      const ran: string[] = [];
      let isLetIn = false;
      const answer = ['5 6', '', 'CHROMEOS_RELEASE_TRACK=stable-channel'].join('\n--- skolo ---\n');
      deps.run = async (file) => {
        ran.push(file);
        return isLetIn
          ? { status: 0, stdout: answer, stderr: '' }
          : { status: 255, stdout: '', stderr: 'root@127.0.0.1: Permission denied (publickey).\n' };
      };
      const one = open({ ...device, kind });
      const attempts: number[] = [];
      const said = new Set<string>();
      for (const seconds of [0, 59, 1, 119, 1, 299, 1, 599, 1, 599, 1]) {
        pass(seconds);
        for (let i = 0; i < 3; i += 1) {
          const look = await one.read(never);
          expect(look).toMatchObject({ state: 'missing', code: 'needs-person' });
          if (look.state === 'missing') said.add(look.why);
        }
        await one.repairs['device-reboot']?.(never).catch(() => undefined);
        attempts.push(ran.length);
      }

      expect(attempts).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
      expect([...said]).toHaveLength(6);
      for (const why of said) {
        expect(why).toMatch(
          /authorized_keys; sign-in was rejected (once|\d times); next attempt at 20\d\d-/,
        );
      }

      // Another login is tried at once.
      settings.ssh.user = 'nobody-else';
      await missing(one);
      expect(ran).toHaveLength(7);

      settings.ssh.user = 'root';
      isLetIn = true;
      pass(600);
      await present(one);
      isLetIn = false;
      expect(await missing(one)).toContain('sign-in was rejected once');
    },
  );

  it('ends its lines as Windows does', async (context) => {
    const { open, there } = await startChromebook(context);
    await there.misbehave('crlf');

    expect((await present(open(device))).dimensions.release_version).toEqual(['13729.56.0']);
  });

  it.skipIf(lacks('root'))('reboots, which is seen by its uptime', async (context) => {
    const { open, there } = await startChromebook(context);
    const chromeos = open(device);
    const before = await present(chromeos);
    const { boots } = there;

    await chromeos.repairs['device-reboot']?.(never);

    await expect.poll(() => there.boots).toBe(boots + 1);
    const after = await present(chromeos);
    expect(after.uptimeSeconds).toBeLessThan(before.uptimeSeconds ?? 0);
  });

  it.skipIf(lacks('root'))('cannot reboot, and reports that', async (context) => {
    const { open, there } = await startChromebook(context);
    await there.misbehave('reboot-rejected');

    await expect(open(device).repairs['device-reboot']?.(never)).rejects.toThrow(
      'must be superuser',
    );
  });

  it.skipIf(lacks('root'))('reboots, though that ends the connection', async (context) => {
    const { open, program, root } = await startRemote(context, chromebook);
    // As sshd goes down with the rest.
    await program(
      'reboot',
      `echo reboot > ${root}/rebooted; parent=$(ps -o ppid= -p $PPID); kill -9 $parent $PPID 2>/dev/null`,
    );

    await open(device).repairs['device-reboot']?.(never);

    expect(await readFile(join(root, 'rebooted'), 'utf8')).toBe('reboot\n');
  });
});

describe('an error of ssh that only a person can end', () => {
  it.each<[string, number, 'needs-person'?]>([
    [
      'Unable to negotiate with 192.168.1.60 port 22: no matching host key type found. Their offer: ssh-dss',
      255,
      'needs-person',
    ],
    ['Password change required but no TTY available.', 1, 'needs-person'],
    ['This account is currently not available.', 1, 'needs-person'],
    ['ssh: connect to host 192.168.1.60 port 22: Connection timed out', 255],
    ['Connection closed by 192.168.1.60 port 22', 255],
    ['sh: cannot fork: Resource temporarily unavailable', 2],
  ])('%s', async (stderr, status, code) => {
    const { open, deps } = await startLab();
    deps.run = async () => ({ status, stdout: '', stderr });

    expect(await open(device).read(never)).toEqual({
      state: 'missing',
      why: expect.stringContaining(stderr.slice(0, 40)),
      code,
    });
  });
});

describe('a computer with Linux', () => {
  it('has its dimensions', async (context) => {
    const { open, program } = await startRemote(context, {
      'proc/uptime': '100.5 200.5\n',
      'proc/cpuinfo': 'vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7B12\n',
      'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
      'etc/debian_version': '12.4\n',
    });
    await program('uname', 'echo x86_64');
    await program('getconf', '[ $1 = LONG_BIT ] && echo 64 || echo 8');
    await program('lspci', `echo '00:02.0 "VGA [0300]" "Intel [8086]" "HD [3ea5]" "" ""'`);

    expect(await present(open({ ...device, kind: 'linux' }))).toEqual({
      dimensions: {
        os: ['Linux', 'Debian', 'Debian-12', 'Debian-12.4'],
        cores: ['8'],
        cpu: ['x86', 'x86-64', 'x86-64-AMD_EPYC_7B12'],
        gpu: ['8086', '8086:3ea5'],
      },
      temperatures: {},
      processorSensors: [],
      uptimeSeconds: 100.5,
    });
  });
});

describe('a device over ssh', () => {
  it('is written for tasks, and again when they delete it', async () => {
    const { open, deps, settings } = await startLab({ PATH: '/nonexistent' });
    const { sshMachineFile: file = '' } = deps;
    const told = async () => JSON.parse(await readFile(file, 'utf8')).user_ip;
    const chromeos = open({ kind: 'chromeos', address: '192.168.1.60' });

    await unreadable(chromeos);
    expect(await told()).toBe('root@192.168.1.60');
    await rm(file);
    await unreadable(chromeos);
    expect(await told()).toBe('root@192.168.1.60');
    settings.ssh.user = 'chronos';
    await unreadable(chromeos);
    expect(await told()).toBe('chronos@192.168.1.60');
  });

  it('is reached though that cannot be written', async () => {
    const { deps, open, logged } = await startLab({ PATH: '/nonexistent' });
    deps.sshMachineFile = '/nonexistent/ssh_machine.json';
    const chromeos = open({ kind: 'chromeos', address: '192.168.1.60' });

    await unreadable(chromeos);
    expect((await unreadable(chromeos)).why).toMatch(/^ssh is not installed/);
    expect(logged()).toHaveLength(1);
  });

  it('without an address cannot be reached', async () => {
    const { open } = await startLab();

    expect(await unreadable(open({ kind: 'chromeos' }))).toEqual({
      code: 'rack-yaml',
      why: expect.stringMatching(/^no address; add/),
    });
  });

  it('that does not respond is missing', async (context) => {
    if (peer('ssh') === undefined) context.skip('ssh is not installed');
    const { open, settings } = await startLab();
    settings.ssh.port = 1;

    expect(await missing(open(device))).toMatch(/^ssh: .*refused/);
  });

  it('is never an option of ssh', () => {
    const ssh = { user: 'root', port: 22, privateKey: '/a b/%key', commandSeconds: 0.1 };
    const args = sshArguments('-oProxyCommand=id', '/state dir/known_hosts', ssh, 'true');

    expect(args.slice(-3)).toEqual(['--', '-oProxyCommand=id', 'true']);
    expect(args).toContain('UserKnownHostsFile="/state dir/known_hosts"');
    expect(args).toContain('IdentityFile="/a b/%%key"');
    expect(args).toContain('ConnectTimeout=1');
    expect(args).toContain('BatchMode=yes');
  });
});
