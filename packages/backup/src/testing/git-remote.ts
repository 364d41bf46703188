/** Shared by the tests of git remotes: a history, a remote, and OpenSSH in front of it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { needs, tempDir, untilTestEnds } from '@skolo/base/testing';
import { type RealSshd, startSshd as startReal } from '@skolo/simulators';
import { onTestFinished, type TestContext } from 'vitest';
import { Repository } from '../history/repository.ts';
import { decrypt } from '../offsite/age.ts';
import { openGitSource } from '../restore/git-source.ts';
import { copiesOf, createHistory } from './history.ts';
import { type KeyPair, run } from './offsite.ts';

export const about = {
  rack: 'rack4',
  model: 'frr',
  run: 'run-1',
  time: '2026-11-20T08:15:00.000Z',
  by: 'schedule',
};

/** @param begin turns the directory into a history */
export async function startHistory(begin = createHistory) {
  const dir = await tempDir();
  const history = join(dir, 'history');
  await begin(history);
  const repository = untilTestEnds(await Repository.open(history, { rack: 'rack4' }));
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

/** All versions of a device, newest first, as read by somebody with the identity. */
export async function readBack(remote: string, device: string, keys: KeyPair, branch = 'main') {
  const source = await openGitSource(remote, {
    branch,
    decrypt: (content) => decrypt(content, [keys.identity], device),
  });
  const versions = await source.versions(device);
  const contents: string[] = [];
  for (const version of versions) contents.push(String(await source.content(version)));
  await source.close();
  return { versions, contents };
}

/** As any user of the remote would. */
export async function plainGit(remote: string, ...args: string[]): Promise<string> {
  const settings = ['-c', 'safe.directory=*', '-C', remote];
  return (await run('git', [...settings, ...args], { maxBuffer: 1 << 26 })).stdout.trimEnd();
}

interface Sshd extends RealSshd {
  /** An accepted key, and one that is not. */
  key: Secret;
  otherKey: Secret;
  /** Fingerprints of its host keys, by type. */
  hostKeys: Partial<Record<KeyType, string>>;
  /** Changes the host keys at the next start. */
  newHostKeys(): Promise<void>;
}

type KeyType = 'ecdsa' | 'ed25519' | 'rsa';

interface KeyFiles {
  private: string;
  fingerprint: string;
}

/** Created once for all tests of a file. */
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
    fingerprint: stdout.split(' ')[1] ?? '',
  };
}

/**
 * OpenSSH's server on loopback, with git-receive-pack behind it.
 *
 * @param types of its host keys; an RSA key takes up to a second to generate
 */
export async function startSshd(
  context: TestContext,
  types: readonly KeyType[] = ['ecdsa', 'ed25519'],
): Promise<Sshd> {
  needs('ssh', 'sshd');
  const dir = await tempDir();
  const hostKeyFile = (type: KeyType) => join(dir, `host-${type}`);
  async function writeHostKeys(which: 'first' | 'other') {
    const fingerprints: Sshd['hostKeys'] = {};
    for (const type of types) {
      const key = await madeKey(`${which} host-${type}`, type);
      await writeFile(hostKeyFile(type), key.private, { mode: 0o600 });
      fingerprints[type] = key.fingerprint;
    }
    return fingerprints;
  }
  const hostKeys = await writeHostKeys('first');
  const otherKey = await madeKey('other user', 'ed25519');
  const sshd = await startReal(
    undefined,
    types.map((type) => `HostKey ${hostKeyFile(type)}`),
  );
  if (sshd === undefined) context.skip('sshd is not installed');
  onTestFinished(sshd.close);
  return {
    ...sshd,
    key: new Secret(sshd.privateKey.trimEnd()),
    otherKey: new Secret(otherKey.private.trimEnd()),
    hostKeys,
    newHostKeys: async () => void (await writeHostKeys('other')),
  };
}
