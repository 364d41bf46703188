/** Communicates with a git remote: pushes a branch, never by force, and fetches one. */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellWord } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable';
import { proxyFor, throughProxy } from '@skolo/base/internet';
import type { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { GitFailed, type GitOptions, git } from '../../git/git.ts';
import { notStored } from '../../git/storage-error.ts';
import { parseRemote, type Remote, shownRemote } from './remote.ts';
import { pinnedHostKey } from './ssh-host-key.ts';

export interface RemoteOptions {
  /** `ssh://…`, `git@host:path`, `https://…`, `file://…`, a path. */
  remote: string;
  branch: string;
  /** ssh private key; default: the user's keys. */
  privateKey?: Secret | undefined;
  /** Fingerprint (`SHA256:…`) of the ssh host key; default: that of the first connection. */
  hostKey?: string | undefined;
  /** Directory for keys and known hosts. */
  folder: string;
}

const scratch = 'ssh-';
/** One connection to the remote. */
const timeoutMs = 600_000;

export class GitRemote {
  readonly shown: string;
  private readonly options: RemoteOptions;
  private readonly remote: Remote;
  private pinned: string | undefined;

  /** @throws BackupError `rejected`: not a valid remote */
  constructor(options: RemoteOptions) {
    this.options = options;
    this.remote = parseRemote(options.remote);
    this.shown = shownRemote(options.remote);
  }

  /** @throws BackupError `rejected`, `unreachable`, `storage` */
  async push(dir: string, branch: string, signal: AbortSignal): Promise<void> {
    const to = `refs/heads/${branch}:refs/heads/${this.options.branch}`;
    await this.run(['push', '--quiet', '--', this.remote.url, to], dir, signal);
  }

  /**
   * Fetches the branch to `ref`, and returns its commit; false if it does not exist.
   *
   * @throws BackupError `rejected`, `unreachable`, `storage`
   */
  async fetch(dir: string, ref: string, signal: AbortSignal): Promise<boolean> {
    const { url } = this.remote;
    const from = `refs/heads/${this.options.branch}`;
    const there = await this.run(['ls-remote', '--quiet', '--', url, from], dir, signal);
    if (there.toString().trim() === '') return false;
    const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', '--'];
    await this.run([...args, url, `+${from}:${ref}`], dir, signal);
    return true;
  }

  private async run(args: string[], dir: string, signal: AbortSignal): Promise<Buffer> {
    const settings = ['-c', 'advice.pushUpdateRejected=false', '-c', 'core.fsync=all'];
    return await this.withEnvironment(signal, async (env) => {
      const options: GitOptions = { dir, signal, timeoutMs, env };
      try {
        return await git([...settings, ...args], options);
      } catch (error) {
        if (!(error instanceof GitFailed)) throw error;
        throw this.explained(error);
      }
    });
  }

  private async withEnvironment<T>(
    signal: AbortSignal,
    work: (env: NodeJS.ProcessEnv) => Promise<T>,
  ): Promise<T> {
    const { kind } = this.remote;
    if (kind === 'local') return await work({ GIT_ALLOW_PROTOCOL: 'file' });
    if (kind === 'https') return await work(httpsEnvironment(this.remote));
    return await this.withSsh(signal, work);
  }

  /** Keys and known hosts are in files only while they are used. */
  private async withSsh<T>(
    signal: AbortSignal,
    work: (env: NodeJS.ProcessEnv) => Promise<T>,
  ): Promise<T> {
    const { folder, privateKey } = this.options;
    let temp: string | undefined;
    try {
      await makeFolder(folder);
      await removeScratch(folder);
      temp = await mkdtemp(join(folder, scratch));
      const command = ['ssh', '-F', 'none', ...sshOptions(await this.hostKeys(temp, signal))];
      if (privateKey) {
        const key = join(temp, 'key');
        await writeFile(key, `${privateKey.reveal()}\n`, { mode: 0o600 });
        command.push('-i', key, '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none');
      }
      return await work({
        GIT_ALLOW_PROTOCOL: 'ssh',
        GIT_SSH_COMMAND: command.map(shellWord).join(' '),
        GIT_SSH_VARIANT: 'ssh',
      });
    } catch (error) {
      signal.throwIfAborted();
      throw notStored(`${folder}: the connection to ${this.shown} cannot be prepared`, error);
    } finally {
      if (temp !== undefined)
        await rm(temp, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  private async hostKeys(temp: string, signal: AbortSignal): Promise<string[]> {
    const { hostKey, folder } = this.options;
    const { host = '', port = 22 } = this.remote;
    if (hostKey === undefined) {
      return [`UserKnownHostsFile=${knownHostsOf(folder)}`, 'StrictHostKeyChecking=accept-new'];
    }
    this.pinned ??= await pinnedHostKey({ host, port }, hostKey, signal);
    const file = join(temp, 'known_hosts');
    await writeFile(file, this.pinned, { mode: 0o600 });
    return [`UserKnownHostsFile=${file}`, 'StrictHostKeyChecking=yes'];
  }

  private explained(error: GitFailed): BackupError {
    const said = shownRemote(error.stderr);
    const { kind, url } = this.remote;
    const proxy = kind === 'https' ? throughProxy(url) : '';
    const failed = (code: BackupError['code'], why: string) =>
      new BackupError(code, `${this.shown}${proxy}: ${why}`, { cause: error });
    if (error.isKilled) return failed('unreachable', 'git did not finish in time, or was killed');
    const known = rejections.find(({ text }) => text.test(said));
    if (known === undefined) return failed('unreachable', lineWith(said, /\S/));
    const { branch, folder } = this.options;
    // The pinned key may be an older one of the same host.
    if (known.text === hostKeyFailed) this.pinned = undefined;
    if (known.text === noRepository && kind === 'local') {
      const isNew =
        'check that the disk is mounted; if the disk is new, create the repository with git init --bare';
      return failed('unreachable', `the git repository does not exist; ${isNew}`);
    }
    return failed(known.code ?? 'rejected', known.why({ said, branch, folder }));
  }
}

interface Rejection {
  text: RegExp;
  /** Default: `rejected`. */
  code?: BackupError['code'];
  why: (at: { said: string; branch: string; folder: string }) => string;
}

const hostKeyFailed = /Host key verification failed/;
const noRepository =
  /not appear to be a git repository|not a git repository|returned error: 404|repository .*not found|no such repository/i;

/** git's messages, and what they mean for the operator; the first match counts. */
const rejections: readonly Rejection[] = [
  {
    text: /\[rejected\]|non-fast-forward|fetch first/,
    why: ({ branch }) =>
      `the remote branch ${branch} contains commits that are not in this history, and skolo never force-pushes. Rename that branch, or set services.router-backup.git.branch to another name`,
  },
  { text: /\[remote rejected\]/, why: ({ said }) => lineWith(said, /rejected/) },
  {
    text: hostKeyFailed,
    why: ({ folder }) =>
      `the server's host key does not match the pinned key. Confirm the new key with the server's operator. Then update services.router-backup.git.hostKey or, if rack.yaml does not set it, delete ${knownHostsOf(folder)}`,
  },
  {
    text: /Permission denied \(|Too many authentication failures/,
    why: () =>
      'the git server rejected the SSH key; check services.router-backup.git.privateKey, and check that its public key is on the server',
  },
  {
    text: /dubious ownership/,
    why: () => 'the directory does not belong to the user that runs this process',
  },
  {
    text: /Permission denied|returned error: 40[13]|could not read (?:User|Pass)|Authentication failed/,
    why: ({ said }) => `not writable: ${lineWith(said, /denied|error|could not|failed/i)}`,
  },
  {
    text: noRepository,
    why: () =>
      'the git repository does not exist, or this account cannot access it; grant access, or create the repository on the server with git init --bare',
  },
  {
    text: /No space left/i,
    code: 'storage',
    why: ({ said }) => lineWith(said, /No space left/i),
  },
];

function knownHostsOf(folder: string): string {
  return join(folder, 'known_hosts');
}

function sshOptions(hostKeys: string[]): string[] {
  const options = [
    'BatchMode=yes',
    'ConnectTimeout=20',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'LogLevel=ERROR',
    'GlobalKnownHostsFile=/dev/null',
    ...hostKeys,
  ];
  return options.flatMap((option) => ['-o', option]);
}

/** In a header, not in the URL, which is a program's argument. */
function httpsEnvironment({ url, credentials }: Remote): NodeJS.ProcessEnv {
  const basic = Buffer.from(credentials ?? '').toString('base64');
  return {
    GIT_ALLOW_PROTOCOL: 'https',
    https_proxy: proxyFor(url)?.href,
    ...(credentials !== undefined && {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    }),
  };
}

/** Leftovers of a killed process. */
async function removeScratch(folder: string) {
  for (const name of await readdir(folder)) {
    if (name.startsWith(scratch)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function lineWith(text: string, pattern: RegExp): string {
  const lines = text.split('\n').map((line) => line.trim());
  const line = lines.find((each) => pattern.test(each)) ?? 'no reason was given';
  return line.replace(/^(?:fatal|error|!|ssh|remote): ?/i, '').slice(0, 300);
}
