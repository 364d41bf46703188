/** What the tests of git remotes share: a history, a remote, and OpenSSH in front of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/secrets';
import { peer } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { onTestFinished, type TestContext } from 'vitest';
import { Repository } from '../history/repository.ts';
import { beginHistory, copiesOf } from './history.ts';
import { run, tempDir } from './offsite.ts';

export const about = {
  rack: 'rack4',
  model: 'frr',
  run: 'run-1',
  time: '2026-11-20T08:15:00.000Z',
  by: 'schedule',
};

/** @param begin makes the folder a history */
export async function startHistory(begin = beginHistory) {
  const dir = await tempDir();
  const history = join(dir, 'history');
  await begin(history);
  const repository = await Repository.open(history, { rack: 'rack4' });
  onTestFinished(() => repository.close());
  async function commit(device: string, content: string) {
    return await repository.commit({ device, content: { bytes: Buffer.from(content) }, about });
  }
  return { dir, history, repository, commit, folder: join(dir, 'mirror') };
}

const initRemote = copiesOf((remote) =>
  run('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]),
);

export async function bareRemote(): Promise<string> {
  const remote = join(await tempDir(), 'remote.git');
  await initRemote(remote);
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
  hostKeys: Partial<Record<KeyType, string>>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Host keys are others from the next start on. */
  newHostKeys(): Promise<void>;
}

type KeyType = 'ecdsa' | 'ed25519' | 'rsa';

interface KeyFiles {
  private: string;
  public: string;
  fingerprint: string;
}

/** Made once for all tests of a file. */
const keysMade = new Map<string, Promise<KeyFiles>>();

function madeKey(name: string, type: KeyType): Promise<KeyFiles> {
  const key = keysMade.get(name) ?? makeKey(type);
  keysMade.set(name, key);
  return key;
}

async function makeKey(type: KeyType): Promise<KeyFiles> {
  const file = join(await tempDir(), 'key');
  await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file]);
  const { stdout } = await run('ssh-keygen', ['-l', '-f', file]);
  return {
    private: await readFile(file, 'utf8'),
    public: await readFile(`${file}.pub`, 'utf8'),
    fingerprint: stdout.split(' ')[1] ?? '',
  };
}

/**
 * OpenSSH's server on loopback, with git-receive-pack behind it.
 *
 * @param types of its host keys; one of RSA takes up to a second to make
 */
export async function startSshd(
  context: TestContext,
  types: readonly KeyType[] = ['ecdsa', 'ed25519'],
): Promise<Sshd> {
  const program = peer('sshd');
  if (!program) context.skip('sshd is not installed');
  const dir = await tempDir();
  const file = (name: string, text: string) => writeFile(join(dir, name), text, { mode: 0o600 });
  async function writeHostKeys(which: 'first' | 'other') {
    const fingerprints: Sshd['hostKeys'] = {};
    for (const type of types) {
      const key = await madeKey(`${which} host-${type}`, type);
      await file(`host-${type}`, key.private);
      fingerprints[type] = key.fingerprint;
    }
    return fingerprints;
  }
  const hostKeys = await writeHostKeys('first');
  const key = await madeKey('user', 'ed25519');
  const otherKey = await madeKey('other user', 'ed25519');
  await file('authorized_keys', key.public);
  const port = await freeTcpPort();
  const configuration = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...types.map((type) => `HostKey ${join(dir, `host-${type}`)}`),
    `PidFile ${join(dir, 'pid')}`,
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    // Else each session begins with the .bashrc of whoever runs the tests, which may take half a second.
    `SetEnv HOME=${dir}`,
    // What OpenSSH prefers takes 0.1 s of processor time at each end.
    'KexAlgorithms -sntrup761*',
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
    key: new Secret(key.private.trimEnd()),
    otherKey: new Secret(otherKey.private.trimEnd()),
    hostKeys,
    stop,
    start,
    newHostKeys: async () => void (await writeHostKeys('other')),
  };
}
