/** What the tests of git remotes share: a history, a remote, and OpenSSH in front of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { onTestFinished, type TestContext } from 'vitest';
import { Repository } from '../repository.ts';
import { run, tempDir } from './testing.ts';

export const about = {
  rack: 'rack4',
  model: 'frr',
  run: 'run-1',
  time: '2026-11-20T08:15:00.000Z',
  by: 'schedule',
};

export async function startHistory() {
  const dir = await tempDir();
  const history = join(dir, 'history');
  const repository = await Repository.open(history, { rack: 'rack4' });
  onTestFinished(() => repository.close());
  async function commit(device: string, content: string) {
    return await repository.commit({ device, content: { bytes: Buffer.from(content) }, about });
  }
  return { dir, history, repository, commit, folder: join(dir, 'mirror') };
}

export async function bareRemote(): Promise<string> {
  const remote = join(await tempDir(), 'remote.git');
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
  return remote;
}

/** As anybody would who has the remote. */
export async function plainGit(remote: string, ...args: string[]): Promise<string> {
  const settings = ['-c', 'safe.directory=*', '-C', remote];
  return (await run('git', [...settings, ...args], { maxBuffer: 1 << 26 })).stdout.trimEnd();
}

export interface Sshd {
  port: number;
  user: string;
  /** Of a key that it accepts, and of one that it does not. */
  key: Secret;
  otherKey: Secret;
  /** Fingerprints of its host keys, by type. */
  hostKeys: { rsa: string; ed25519: string };
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Host keys are others from the next start on. */
  newHostKeys(): Promise<void>;
}

/** OpenSSH's server on loopback, with git-receive-pack behind it. */
export async function startSshd(context: TestContext): Promise<Sshd> {
  const program = peer('sshd');
  if (!program) context.skip('sshd is not installed');
  const dir = await tempDir();
  const keyOf = async (file: string) =>
    new Secret((await readFile(join(dir, file), 'utf8')).trimEnd());
  const makeKey = (file: string, type: string) =>
    run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(dir, file)]);
  const fingerprint = async (file: string) =>
    (await run('ssh-keygen', ['-l', '-f', join(dir, file)])).stdout.split(' ')[1] ?? '';
  async function makeHostKeys() {
    await run('rm', ['-f', join(dir, 'host-rsa'), join(dir, 'host-ed25519')]);
    await makeKey('host-rsa', 'rsa');
    await makeKey('host-ed25519', 'ed25519');
  }
  await makeHostKeys();
  await makeKey('key', 'ed25519');
  await makeKey('other', 'ed25519');
  await writeFile(join(dir, 'authorized_keys'), await readFile(join(dir, 'key.pub')), {
    mode: 0o600,
  });
  const port = await freePort();
  const configuration = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(dir, 'host-rsa')}`,
    `HostKey ${join(dir, 'host-ed25519')}`,
    `PidFile ${join(dir, 'pid')}`,
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
  ];
  await writeFile(join(dir, 'sshd_config'), `${configuration.join('\n')}\n`);
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });

  let server: ChildProcess | undefined;
  async function start() {
    const args = ['-D', '-e', '-f', join(dir, 'sshd_config')];
    const child = spawn(program ?? '', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    server = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('Server listening')) resolve();
      });
      child.once('exit', () => reject(new Error(`sshd: ${text}`)));
      child.once('error', reject);
    });
  }
  async function stop() {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill();
    await ended;
  }
  onTestFinished(stop);
  await start();
  return {
    port,
    user: userInfo().username,
    key: await keyOf('key'),
    otherKey: await keyOf('other'),
    hostKeys: { rsa: await fingerprint('host-rsa'), ed25519: await fingerprint('host-ed25519') },
    stop,
    start,
    newHostKeys: makeHostKeys,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
