/**
 * `skolo secrets` as a person uses it, with a real API server, sshd and git. A canary must only be found where it belongs: processes are
 * searched while commands run, then files, logs and output at both ends.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Secret } from '@skolo/base/secrets';
import { feed } from '@skolo/base/testing';
import { sealSops } from '@skolo/fleet/secret-store';
import {
  missing,
  noNamespaces,
  run,
  startCluster,
  startWorkstation,
  type Workstation,
  watchProcesses,
} from '@skolo/fleet/testing';
import { type ControlPlane, peer, type RealSshd, startSshd } from '@skolo/simulators';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLines } from './testing/command-lines.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
/** Not in any clone of this repository. */
const canary = `hunter2-canary-${randomBytes(5).toString('hex')}`;
/** `TMPFS_MAGIC` of statfs(2): a file system in memory. */
const tmpfs = 0x01021994;
/** Also in the encodings of the cluster and ssh; without its end, which depends on the text that follows. */
const forms = [canary, Buffer.from(canary).toString('base64').slice(0, -4)];

const rackYaml = `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.8 }
access: { tokens: { file: secrets/tokens.yaml } }
network: { subnet: 127.0.0.0/8 }
logins:
  machines: { username: USER, privateKey: secrets/id }
  switches: { username: admin, password: secrets/switch, enablePassword: { env: SWITCH_ENABLE } }
machines:
  rpi-001: { kind: rpi, address: 127.0.0.1, ports: { ssh: PORT }, login: machines }
services:
  power-cycle-daemon: { repair: { enabled: true } }
`;

describe.skipIf(missing() ?? noNamespaces)('skolo secrets', () => {
  let cluster: ControlPlane;
  let workstation: Workstation;
  let etc: string;
  let home: string;
  let recipients: string[];
  let machine: RealSshd;
  const printed: string[] = [];
  let commandLines: CommandLines;
  const startedAt = Date.now();

  beforeAll(async () => {
    commandLines = new CommandLines();
    etc = await mkdtemp(join(tmpdir(), 'skolo-etc-'));
    cluster = await startCluster();
    workstation = await startWorkstation({
      kubeconfig: cluster.kubeconfig,
      folders: { '/etc': etc },
    });
    home = workstation.env.HOME ?? '';
    await workstation.jumphost.program('logger', `echo "$@" >> ${join(etc, 'log')}`);
    await mkdir(join(etc, 'skolo/power-cycle-daemon'), { recursive: true });
    await mkdir(join(etc, 'rancher/k3s'), { recursive: true });
    machine = await startMachine();
    const rack = rackYaml.replace('USER', machine.username).replace('PORT', `${machine.port}`);
    await writeFile(join(home, 'kube/racks/rack4/rack.yaml'), rack);
    const identity = await generateX25519Identity();
    const other = await generateX25519Identity();
    recipients = await Promise.all([identity, other].map(identityToRecipient));
    await writeFile(join(home, 'keys.txt'), identity);
    await writeFile(join(home, '.sops.yaml'), `creation_rules: [{ age: "${recipients}" }]\n`);
    await run('git', ['init', '-q', home]);
  });
  afterAll(async () => {
    await commandLines?.close();
    await machine?.close();
    await workstation?.close();
    await cluster?.close();
    await rm(etc, { recursive: true, force: true });
  });

  /** A separate process, for its input or its end. */
  function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    return spawn(process.execPath, [main, 'secrets', ...args], {
      cwd: home,
      env: { ...workstation.env, SOPS_AGE_KEY_FILE: join(home, 'keys.txt'), ...env },
    });
  }

  /** Like `start`, until it ends, while it and its children are searched. */
  async function watched(args: readonly string[], input = '') {
    const child = start(args);
    feed(child, input);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    const [[code]] = await Promise.all([once(child, 'close'), watchProcesses(child, forms)]);
    const lines = await said;
    printed.push(...lines);
    return { out: lines.join(''), code };
  }

  /** In one process for all, which has already loaded the modules. */
  async function skolo(...words: string[]): Promise<{ out: string; code: number }> {
    const env = { ...workstation.env, SOPS_AGE_KEY_FILE: join(home, 'keys.txt') };
    const { stdout, stderr, exitCode } = await commandLines.run({ args: words, dir: home, env });
    const out = Buffer.from(stdout).toString();
    printed.push(out, stderr);
    return { out: out + stderr, code: exitCode };
  }

  it('bring a value to the rack, where only its places have it', async () => {
    expect((await watched(['set', 'rack4', 'switch'], canary)).code).toBe(0);
    for (const [name, value] of [
      ['SWITCH_ENABLE', `${canary}\n`],
      ['tokens.yaml', 'tokens: []\n'],
    ] as const) {
      const sealed = await sealSops(new Secret(value), recipients, Date.now());
      await writeFile(join(home, `kube/sops/rack4/${name}.sops`), sealed);
    }
    expect((await skolo('secrets', 'generate', 'rack4', 'alertmanager-token')).out).toContain(
      'created a token for alertmanager with the operate role, valid for 365 days; its hash is in rack4/tokens.yaml',
    );

    const apply = await watched(['apply', 'rack4']);

    expect(apply.out).toContain('switch: added in Secret skolo/router-backup key switch\n');
    expect(apply.out).toContain('added in /etc/skolo/power-cycle-daemon/environment variable');
    expect(apply.out).toContain(
      'load the changed variables, run skolo kubectl --role admin rack4 rollout restart -n skolo deployment/router-backup\n',
    );
    expect(apply.code).toBe(0);
    const rackFile = join(home, 'kube/racks/rack4/rack.yaml');
    expect((await skolo('rack', 'render', '--rack', rackFile)).code).toBe(0);
    const after = await skolo('secrets', 'status', 'rack4');
    expect(after.out).toMatch(/^switch +password +\d+ .+ ago +- +same +same +/m);
    expect(after.out).toMatch(/^k3s-token +k3s-token +missing +- +- +unset +/m);
    expect((await skolo('check', 'secrets')).out).toBe('git: no problems\n');
    expect(await readFile(join(etc, 'log'), 'utf8')).toMatch(
      /^-t skolo -- \S+: applying secrets$/m,
    );
    const { stdout } = await run(
      peer('kubectl') ?? '',
      ['get', 'secret', 'alertmanager', '-n', 'skolo', '-o', 'json'],
      { env: { ...process.env, KUBECONFIG: cluster.kubeconfig } },
    );
    const token = Buffer.from(JSON.parse(stdout).data['power-cycle-daemon'], 'base64').toString();
    expect(token).toMatch(/^skolo_[\w-]{43}$/);
  });

  it('open a machine behind the jumphost', async () => {
    const sealed = await sealSops(new Secret(machine.privateKey), recipients, Date.now());
    await writeFile(join(home, 'kube/sops/rack4/id.sops'), sealed);

    expect((await skolo('check', 'secrets', 'rack4')).out).toMatch(/^id \(rpi-001\): ok: opens$/m);
  });

  it('leave no clear text behind, even if an editor is killed with them', async () => {
    const script = join(home, 'editor');
    await writeFile(script, '#!/bin/sh\necho "$1"\nexec sleep 1000\n', { mode: 0o755 });
    const child = start(['edit', 'rack4', 'switch'], { EDITOR: script });
    let said = '';
    child.stdout.on('data', (data) => {
      said += data;
    });
    await expect.poll(() => said).toContain('\n');
    const path = said.trim();
    expect(await readFile(path, 'utf8')).toBe(canary);
    expect((await statfs(path)).type).toBe(tmpfs);

    child.kill('SIGKILL');

    await expect.poll(() => readFile(path, 'utf8').catch(() => 'gone')).toBe('gone');
    for (const pid of await processesWith(path)) process.kill(pid, 'SIGKILL');
  });

  it('are nowhere else: not in output, logs, git, rendered overlays, temporary files, nor at the other end', async () => {
    expect(await readdir(join(home, 'kube/racks/rack4/derived'))).not.toEqual([]);
    const all = await filesWithCanary([home, etc, tmpdir(), '/dev/shm'], startedAt);
    const found = new Set(all.map((file) => file.replace(etc, '/etc')));

    expect(printed.join('\n')).not.toContain(canary);
    expect((await workstation.jumphost.commands()).join('\n')).not.toContain(canary);
    const places = [...found].filter((file) => !/etcd|control-plane/.test(file)).sort();
    expect(places.map((file) => file.replace(/\.\.skolo-\w+/, '..version'))).toEqual([
      '/etc/skolo/power-cycle-daemon/..version/environment',
      '/etc/skolo/power-cycle-daemon/..version/secrets/switch',
    ]);
  });

  it('are stored from an editor in which somebody has pressed Ctrl-C', async () => {
    const edit = start(['edit', 'rack4', 'switch'], { EDITOR: 'kill -INT $PPID; echo edited >' });
    const [code] = await once(edit, 'exit');
    const look = start(['edit', 'rack4', 'switch'], { EDITOR: 'cat' });
    const shown = await text(look.stdout);

    expect(code).toBe(0);
    expect(shown).toBe('edited\n');
  });
});

/** A machine that anybody with its key may use. */
async function startMachine(): Promise<RealSshd> {
  const sshd = await startSshd('true');
  if (sshd === undefined) throw new Error('sshd is not installed');
  return sshd;
}

async function processesWith(word: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.includes(word) && Number(pid) !== process.pid ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/**
 * Files below these directories that are newer than the test and contain the canary. Other programs may delete their directories in the
 * meantime.
 */
async function filesWithCanary(folders: readonly string[], since: number): Promise<string[]> {
  const words = forms.flatMap((form) => ['-e', form]);
  const files = ['-type', 'f', '-newermt', `@${since / 1000}`];
  const args = [...folders, ...files, '-exec', 'grep', '-lF', ...words, '{}', '+'];
  const child = spawn('find', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return (await text(child.stdout)).split('\n').filter(Boolean);
}
