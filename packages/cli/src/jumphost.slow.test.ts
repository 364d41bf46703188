/** Commands that reach services and machines through a real sshd, without a cluster. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sha256 } from '@skolo/base';
import { feed } from '@skolo/base/testing';
import { noNamespaces, startWorkstation, type Workstation } from '@skolo/fleet/testing';
import {
  createTokens,
  startAgents,
  startPowerCycleDaemon,
  startRouterBackup,
  startScripted,
} from '@skolo/scripted-services';
import { makeTestImage, readByMtools, systems } from '@skolo/setup/pi/testing';
import { lacks, startSshd } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLines } from './testing/command-lines.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

describe.skipIf(lacks('root', 'sshd', 'ssh'))('through a jumphost', () => {
  let workstation: Workstation | undefined;
  const ends: (() => Promise<void>)[] = [];
  let tokenFile = '';
  /** The jumphost's /usr/local/bin. */
  let local = '';

  beforeAll(async () => {
    local = await mkdtemp(join(tmpdir(), 'skolo-local-'));
    ends.push(() => rm(local, { recursive: true }));
    workstation = await startWorkstation(
      noNamespaces ? {} : { folders: { '/usr/local/bin': local } },
    );
    const tokens = await createTokens();
    const daemon = await startPowerCycleDaemon({ tokens });
    const agents = await startAgents('rack4');
    ends.push(workstation.close, tokens.remove, daemon.close);
    for (const { close } of agents.values()) ends.push(close);
    const { jumphost } = workstation;
    const audit = join(workstation.env.HOME ?? '', 'audit');
    await jumphost.program('logger', `echo "$@" >> '${audit}'`);
    await jumphost.program('journalctl', 'echo "journalctl $*"');
    // Both machines are the same sshd, which the jumphost reaches at a separate address.
    const shell = join(workstation.env.HOME ?? '', 'machine');
    await writeFile(
      shell,
      '#!/bin/sh\n[ -n "$SSH_ORIGINAL_COMMAND" ] || exec sh\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n',
      { mode: 0o755 },
    );
    const machine = await startSshd(shell, [
      'ListenAddress 127.0.1.101',
      'ListenAddress 127.0.1.102',
    ]);
    if (!machine) throw new Error('sshd is not installed');
    ends.push(machine.close);
    await appendFile(
      jumphost.sshConfig,
      `Host skia-rpi2-*
  Port ${machine.port}
  IdentityFile ${machine.privateKeyFile}
  UserKnownHostsFile ${jumphost.knownHosts}
  StrictHostKeyChecking accept-new
`,
    );
    const example = new URL('../testdata/files/rack4.yaml', import.meta.url);
    const text = (await readFile(example, 'utf8'))
      .replace('http://127.0.0.1:4', daemon.url)
      .replace(
        'power: [pdu-1/5, pdu-1/6]',
        `$&\n    port: 1\n    swarming: { url: "${agents.get('rpi-001')?.url}" }`,
      )
      .replaceAll('192.168.1.', '127.0.1.');
    await writeFile(join(workstation.rack.overlay, 'rack.yaml'), text);
    tokenFile = join(workstation.env.HOME ?? '', 'token');
    await writeFile(tokenFile, tokens.operate, { mode: 0o600 });
  });
  const commandLines = new CommandLines();
  afterAll(async () => {
    await commandLines.close();
    for (const end of ends) await end();
  });

  it('is as foreign as anybody: without a token it reads nothing, although the jumphost may', async () => {
    const here = await skolo(
      'power',
      'holds',
      '--rack',
      join(workstation?.rack.overlay ?? '', 'rack.yaml'),
    );
    const there = await skolo('power', 'holds', '--on', 'rack4');

    expect(here).toMatchObject({ code: 0 });
    expect(there).toMatchObject({ code: 1, stderr: expect.stringContaining('no token') });
    expect(await workstation?.left()).toEqual([]);
  });

  it('does with a token what the command does in the rack', async () => {
    const args = ['--token-file', tokenFile];

    const there = await skolo('power', 'status', '--on', 'rack4', ...args);

    expect(there).toMatchObject({ code: 0, stderr: '' });
    const rack = join(workstation?.rack.overlay ?? '', 'rack.yaml');
    expect(there.stdout).toBe((await skolo('power', 'status', '--rack', rack)).stdout);
    expect(await workstation?.left()).toEqual([]);
  });

  it('names the rack.yaml of the rack for commands without a service', async () => {
    expect(await skolo('check', 'rack', '--on', 'rack4')).toMatchObject({ code: 0 });
    expect((await skolo('check', 'rack', '--on', 'rack5')).stderr).toContain(
      'kube/racks/rack5/rack.yaml: no such file',
    );
  });

  it('does not reboot the jumphost of a rack with `acts: false`', async () => {
    const file = join(workstation?.rack.overlay ?? '', 'rack.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `acts: false\n${text}`);

    const { code, stderr } = await skolo('jumphost', 'reboot', 'rack4', '--reason', 'new kernel');

    await writeFile(file, text);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('rack4: `acts: false` in rack.yaml prohibits this'),
    });
    expect(await workstation?.left()).toEqual([]);
  });

  it('check outlets asks agents through the jumphost', async () => {
    const asked: unknown[] = [];
    const agent = await startScripted('swarming-client', {});
    agent.instead = (request, response) => {
      asked.push(request.headers.forwarded);
      response.writeHead(500).end();
    };
    const tokens = await createTokens();
    const backup = await startRouterBackup({ tokens });
    ends.push(agent.close, tokens.remove, backup.close);
    const file = join(workstation?.rack.overlay ?? '', 'rack.yaml');
    const text = await readFile(file, 'utf8');
    const wired = text
      .replaceAll('127.0.1.', '192.168.1.')
      .replace('http://127.0.0.1:5', backup.url)
      .replace('uplink: switch-1/[1-4]', `$&\n    swarming: { url: "${agent.url}" }`);
    await writeFile(file, wired);
    const operator = join(workstation?.env.HOME ?? '', 'operator');
    await writeFile(operator, tokens.operate, { mode: 0o600 });

    const { stdout } = await skolo('check', 'outlets', 'rack4', '--token-file', operator);

    await writeFile(file, text);
    expect(stdout).toMatch(/shelf1-002: not verified: .* does not report whether it is idle/);
    expect(asked).toContain('for=unknown');
    expect(await workstation?.left()).toEqual([]);
  });

  it('says which service does not respond', async () => {
    const { code, stderr } = await skolo('alerts', 'status', '--on', 'rack4');

    expect(code).toBe(1);
    expect(stderr).toMatch(/^skolo: .*connection refused/);
  });

  it('pi setup --check reaches each machine, with one connection, and changes nothing', async () => {
    const key = join(workstation?.env.HOME ?? '', 'key.pub');
    await writeFile(key, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample ann@desk\n');

    const names = ['001', '002'].map((number) => `skia-rpi2-rack4-shelf1-${number}`);

    const { code, stdout } = await skolo(
      ...['pi', 'setup', ...names, '--check', '--on', 'rack4', '--key', key],
      ...['--sign-in-as', userInfo().username],
    );

    expect(code).toBe(1);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^${name} .*name`, 'm'));
    expect(stdout).toContain('name: the host name is ');
    expect(await workstation?.left()).toEqual([]);
  });

  it('machine join --check says what differs on each machine, and changes nothing', async () => {
    await workstation?.jumphost.program(
      'k3s',
      'echo "Error from server (NotFound): none" >&2; exit 1',
    );

    const { code, stdout } = await skolo(
      'machine',
      'join',
      'skia-rpi2-rack4-shelf1-001',
      '--check',
    );

    expect(code).toBe(1);
    expect(stdout).toMatch(
      /skia-rpi2-rack4-shelf1-001 +failed .*k3s-config: \S+config.yaml: server is missing.*k3s-agent: .*k3s is not installed/,
    );
    expect(await workstation?.left()).toEqual([]);
  });

  it.skipIf(lacks('mtools'))('pi image --join has a token of the cluster on the card', async () => {
    const home = workstation?.env.HOME ?? '';
    const token = `K10${'ab'.repeat(32)}::abc123.0123456789abcdef`;
    await workstation?.jumphost.program(
      'k3s',
      `case "$*" in
        'token create --ttl 24h --description join token for the SD cards of skia-rpi2-rack4-shelf1-001') echo '${token}' ;;
        *) exit 1 ;;
      esac`,
    );
    const base = join(home, 'trixie.img');
    // Its programs are for armhf.
    const elf = `\x7fELF${'\0'.repeat(14)}(\0`;
    const root = { ...systems.trixie.root, 'usr/bin/dpkg': elf };
    await makeTestImage(base, { ...systems.trixie, root });
    const files = join(home, 'files', 'k3s-v1.36.3+k3s1');
    await mkdir(files, { recursive: true });
    await writeFile(join(files, 'k3s-armhf'), 'program');
    const sum = sha256('program');
    await writeFile(join(files, 'sha256sum-arm.txt'), `${sum}  k3s-armhf\n`);
    const key = join(home, 'key.pub');
    await writeFile(key, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample ann@desk\n');

    const { code, stderr } = await skolo(
      ...[
        'pi',
        'image',
        'skia-rpi2-rack4-shelf1-001',
        '--on',
        'rack4',
        '--join',
        '--k3s',
        'v1.36.3+k3s1',
      ],
      ...['--base', base, '--key', key, '--files', join(home, 'files'), '--out', home],
    );

    expect(stderr).toBe('');
    expect(code).toBe(0);
    const card = join(home, 'skia-rpi2-rack4-shelf1-001.img');
    expect(await readByMtools(card, 'skolo-token')).toBe(`${token}\n`);
    expect(await readByMtools(card, 'skolo-k3s')).toBe('program');
  });

  it.skipIf(lacks('curl'))(
    'forward gives a URL that marks requests, and is nothing to others',
    async () => {
      const forward = spawn(process.execPath, [main, 'forward', 'rack4', 'power-cycle-daemon'], {
        env: workstation?.env,
        cwd: workstation?.env.HOME,
      });
      const [line] = await once(forward.stdout.setEncoding('utf8'), 'data');
      const { host, port, pathname } = new URL(line);
      const get = async (name: string, headers = {}) => {
        const args = [
          '-s',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          `http://${name}:${port}${pathname}v1/holds`,
        ];
        const more = Object.entries(headers).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
        return (await promisify(execFile)('curl', [...args, ...more])).stdout;
      };
      const token = await readFile(tokenFile, 'utf8');

      expect(await get('127.0.0.1')).toBe('403');
      expect(await get('127.0.0.1', { Host: host })).toBe('401');
      expect(await get('127.0.0.1', { Host: host, 'X-Forwarded-For': '127.0.0.1' })).toBe('401');
      expect(await get('127.0.0.1', { Host: host, Authorization: `Bearer ${token}` })).toBe('200');

      const ended = once(forward, 'close');
      forward.kill('SIGTERM');
      await ended;
      expect(await workstation?.left()).toEqual([]);
    },
  );

  it('logs reads the journal of the jumphost', async () => {
    expect((await skoloWith('', 'logs', 'rack4', '--k3s')).stdout).toBe(
      'journalctl --no-pager -n 100 -u k3s\n',
    );
    expect((await skolo('logs', 'rack4', '--unit', 'a b')).code).toBe(2);
    expect((await skolo('logs', 'rack4')).code).toBe(2);
  });

  it('logs shows control characters of a line instead of sending them to the terminal', async () => {
    // ESC [ 2 J clears the screen, and U+202E reverses the direction of the following text.
    await workstation?.jumphost.program(
      'journalctl',
      "printf 'x\\033[2J\\342\\200\\256gpj.exe\\n'",
    );

    const { stdout } = await skoloWith('', 'logs', 'rack4', '--unit', 'x');
    await workstation?.jumphost.program('journalctl', 'echo "journalctl $*"');

    expect(stdout).toBe('x^[[2J<U+202E>gpj.exe\n');
  });

  it('shell is a shell on the machine, and the jumphost knows of it', async () => {
    const name = 'skia-rpi2-rack4-shelf1-001';

    const { code, stdout } = await skoloWith('echo here; exit 4\n', 'shell', name);

    expect({ code, stdout }).toEqual({ code: 4, stdout: 'here\n' });
    expect(await readFile(join(workstation?.env.HOME ?? '', 'audit'), 'utf8')).toMatch(
      new RegExp(`^-t skolo -- \\S+@\\S+: shell on ${name}\\n`, 'm'),
    );
    expect(await workstation?.left()).toEqual([]);
  });

  it('run has a line for each machine, and a table of exit codes', async () => {
    const range = 'skia-rpi2-rack4-shelf1-[001-002]';

    const all = await skolo('run', range, '--', 'echo', 'a b');
    const bad = await skolo('run', range, '--', 'exit 3');
    const late = await skolo('run', range, '--timeout', '1s', '--', 'sleep 100');
    const gone = await skolo('run', 'skia-e-linux-01', '--', 'true');

    expect(all.code).toBe(0);
    expect(all.stdout.split('\n').slice(0, 2).sort()).toEqual([
      'skia-rpi2-rack4-shelf1-001: a b',
      'skia-rpi2-rack4-shelf1-002: a b',
    ]);
    expect(bad).toMatchObject({ code: 1, stdout: expect.stringMatching(/001 +3\n.*002 +3\n$/) });
    expect(late.stdout).toMatch(/001 +timeout/);
    expect(gone.stdout).toMatch(/01 +255 +the jumphost cannot connect to the SSH port\n$/);
    expect(await workstation?.left()).toEqual([]);
  });

  it('run and shell know the jumphost by its name, and other commands for machines do not', async () => {
    const journal = ['sudo', 'journalctl', '-n', '50', '-u', 'k3s.service'];

    const run = await skolo('run', 'jumphost-rack4', '--on', 'rack4', '--', ...journal);
    const shell = await skoloWith('journalctl; exit 4\n', 'shell', 'jumphost-rack4');
    const bot = await skolo('shell', 'jumphost-rack4', '--bot');
    const join = await skolo('machine', 'join', 'jumphost-rack4', '--check');

    expect(run).toMatchObject({
      code: 0,
      stdout:
        'jumphost-rack4: journalctl -n 50 -u k3s.service\nNAME            EXIT\njumphost-rack4  0\n',
    });
    expect(shell).toMatchObject({ code: 4, stdout: expect.stringContaining('journalctl \n') });
    expect(bot.stderr).toBe(
      'skolo: jumphost-rack4: this is a jumphost; --bot and --adb apply only to machines\n',
    );
    expect(join.stderr).toContain('jumphost-rack4: no such machine in rack4');
    expect(await workstation?.left()).toEqual([]);
  });

  it('machine leave waits for a task, ends none unless it is forced, and holds the machine meanwhile', async () => {
    const name = 'skia-e-linux-01';
    const done = join(workstation?.env.HOME ?? '', 'k3s-done');
    await workstation?.jumphost.program(
      'k3s',
      `case $* in
  *' get '*) echo "Error from server (NotFound): none" >&2; exit 1 ;;
  *) echo "$*" >> '${done}' ;;
esac`,
    );
    const leave = (...more: string[]) =>
      skolo('machine', 'leave', name, '--reason', 'a test', '--token-file', tokenFile, ...more);

    const rejected = await leave('--task-limit', '1s');
    const isThere = await readFile(done, 'utf8').catch(() => 'not done');
    const forced = await leave('--force');

    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toContain(`${name}: waiting for the task 67e8a4c01f2b3d10`);
    expect(rejected.stdout).toMatch(
      /failed +still running tasks after 0 min; use --force to end them/,
    );
    expect(isThere).toBe('not done');
    expect(forced).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        'removed from the cluster, but its software was not uninstalled',
      ),
    });
    expect(await readFile(done, 'utf8')).toContain(`delete --ignore-not-found --wait=false node`);
    const { stdout: holds } = await skolo(
      'power',
      'holds',
      '--on',
      'rack4',
      '--token-file',
      tokenFile,
    );
    expect(holds).not.toContain(name);
    expect(await workstation?.left()).toEqual([]);
  });

  it('does nothing that the jumphost does not record', async () => {
    await workstation?.jumphost.program('logger', 'echo "no space left" >&2; exit 1');

    const { code, stderr, stdout } = await skolo('run', 'skia-e-linux-01', '--', 'echo done');

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain("could not write to the jumphost's log (no space left)");
  });

  it.skipIf(noNamespaces)(
    'upgrade asks, and records what it upgrades and why, before it changes anything',
    async () => {
      const { jumphost } = workstation ?? {};
      const k3s = '#!/bin/sh\necho "k3s version v1.36.3+k3s1 (2c3f1a8d)"\n';
      await writeFile(join(local, 'k3s'), k3s, { mode: 0o755 });
      await jumphost?.program('logger', 'echo "cannot record: $*" >&2; exit 1');
      await jumphost?.program('apt-get', 'echo "Inst openssl [3.5.1]"');

      const upgrade = (...more: string[]) =>
        skolo('jumphost', 'upgrade', 'rack4', '--os', '--reason', 'CVE in openssl', ...more);

      expect(await upgrade()).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('cannot ask for confirmation without a terminal'),
      });
      expect(await upgrade('--yes')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('upgrade (Debian): CVE in openssl'),
      });
      expect(await workstation?.left()).toEqual([]);
    },
  );

  it('says which machine no rack has', async () => {
    expect((await skolo('shell', 'skia-e-linux-1')).stderr).toBe(
      'skolo: skia-e-linux-1: no such machine in rack4; did you mean "skia-e-linux-01"?\n',
    );
  });

  /** In one process for all, which has already loaded the modules. */
  async function skolo(...args: string[]) {
    const dir = workstation?.env.HOME ?? '';
    const ended = await commandLines.run({ args, dir, env: workstation?.env ?? {} });
    const { stdout, stderr, exitCode } = ended;
    return { code: exitCode, stdout: `${Buffer.from(stdout)}`, stderr };
  }

  /** In its own process, for a program that uses its input and output. */
  function skoloWith(input: string, ...args: string[]) {
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const options = { env: workstation?.env, cwd: workstation?.env.HOME };
      const child = execFile(process.execPath, [main, ...args], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
      feed(child, input);
    });
  }
});
