/**
 * Runs git without the user's configuration and without prompts, requires git 2.36, and kills it after a time limit together with all
 * processes that it started.
 */
import { spawn } from 'node:child_process';
import { finished, type Readable, type Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { NamedError } from '@skolo/base';
import { BackupError } from '@skolo/equipment/models/configuration';

/** In strerror(3)'s words, which git repeats. */
const texts: [RegExp, string][] = [
  [/No space left on device|Out of disk ?space/i, 'ENOSPC'],
  [/Disk quota exceeded/i, 'EDQUOT'],
  [/Read-only file system/i, 'EROFS'],
  [/Permission denied|Operation not permitted|insufficient permission/i, 'EACCES'],
  [/Input\/output error|I\/O error/i, 'EIO'],
  [/Too many open files/i, 'EMFILE'],
  [/Cannot allocate memory|cannot fork|unable to (?:fork|create thread|start)/i, 'ENOMEM'],
  // Used if git gives no reason.
  [
    /could(?:n't| not) (?:write|create)|(?:unable|failed) to (?:write|create)|write error/i,
    'unwritten',
  ],
];

/** git exited with a status other than 0, was killed, or timed out. The message only includes the subcommand, not its arguments. */
export class GitFailed extends NamedError {
  /** The end of its standard error. */
  readonly stderr: string;
  /** The system's error that git repeats. */
  readonly code: string | undefined;
  /** It did not exit by itself: it timed out, or was killed, for example by the kernel when memory ran out. */
  readonly isKilled: boolean;

  constructor(command: string, stderr: string, end: End) {
    const why = end.isKilled ? end.status : withoutIds(stderr.trim()) || end.status;
    super(`git ${command}: ${why}`);
    this.stderr = stderr;
    this.code = texts.find(([text]) => text.test(stderr))?.[1];
    this.isKilled = end.isKilled;
  }
}

/** Without IDs of objects, which are hashes of contents: messages may reach people who must not read those. */
export function withoutIds(text: string): string {
  return text.replace(/\b(?=\d*[a-f]|\d{20})[0-9a-f]{7,}\b/g, '<id>');
}

interface End {
  status: string;
  isKilled: boolean;
}

export interface GitOptions {
  /** The repository, for commands that require one. */
  dir?: string;
  signal?: AbortSignal | undefined;
  /** Default two minutes. */
  timeoutMs?: number;
  /** With the user's own configuration, keys and terminal, for commands on the user's behalf. */
  asUser?: boolean;
  /** Additional environment variables. */
  env?: NodeJS.ProcessEnv;
}

interface GitProcess {
  stdin: Writable;
  stdout: Readable;
  /** Resolves when it exited with status 0. @throws GitFailed; BackupError: git is not installed; the reason of `signal` */
  ended: Promise<void>;
}

const twoMinutes = 120_000;
const keptOfStderr = 4000;

/** A git command with its streams. Its output must be read, or it never exits. */
export function startGit(
  args: readonly string[],
  { dir, signal, timeoutMs = twoMinutes, asUser = false, env = {} }: GitOptions,
): GitProcess {
  const command = commandOf(args);
  signal?.throwIfAborted();
  const child = spawn('git', args, {
    ...(dir !== undefined && { cwd: dir }),
    env: {
      ...(asUser ? process.env : cleanEnvironment()),
      ...env,
      ...(dir !== undefined && { GIT_DIR: dir }),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own process group, so that its children end with it. It then has no terminal to prompt on.
    detached: !asUser,
  });
  let isTimeout = false;
  function kill() {
    if (child.pid === undefined) return;
    try {
      process.kill(asUser ? child.pid : -child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  const timer = Number.isFinite(timeoutMs)
    ? setTimeout(() => {
        isTimeout = true;
        kill();
      }, timeoutMs)
    : undefined;
  signal?.addEventListener('abort', kill);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptOfStderr);
  });
  // It may exit without having read everything; its status shows why.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(error)));
    child.on('close', (code, signalName) => {
      if (code === 0) resolve();
      else if (signal?.aborted) reject(signal.reason);
      else reject(new GitFailed(command, stderr, endOf(code, signalName, isTimeout)));
    });
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  });
  // A caller that reads the output first still receives it.
  ended.catch(() => undefined);
  return { stdin: child.stdin, stdout: child.stdout, ended };
}

/** Its complete standard output. @throws GitFailed */
export async function git(
  args: readonly string[],
  { input = '', ...options }: GitOptions & { input?: string },
): Promise<Buffer> {
  const { stdin, stdout, ended } = startGit(args, options);
  stdin.end(input);
  const [output] = await Promise.all([buffer(stdout), ended]);
  return output;
}

/** The PATH on which a suitable git was found. */
let checkedPath: string | undefined;

/** @throws BackupError git is missing, or too old to sync its output. */
export async function checkGit(): Promise<void> {
  const { PATH = '' } = process.env;
  if (checkedPath === PATH) return;
  const version = (await git(['version'], {})).toString();
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) * 1000 + Number(minor) < 2036) {
    const why = `${version.trim()} does not sync the files that it writes; install git 2.36 or newer`;
    throw new BackupError('storage', why);
  }
  checkedPath = PATH;
}

/** Waits until the buffer has room. Input after the process has exited is lost, which its status reports. */
export function written(stream: Writable, chunk: Buffer | string): Promise<void> {
  if (stream.destroyed || stream.write(chunk)) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = finished(stream, () => resolve());
    stream.once('drain', () => {
      stop();
      resolve();
    });
  });
}

/** Without the user's or the system's configuration, and unable to fetch a missing object. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    ...(process.env.TMPDIR !== undefined && { TMPDIR: process.env.TMPDIR }),
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'none',
  };
}

const crashes: readonly NodeJS.Signals[] = ['SIGSEGV', 'SIGABRT', 'SIGFPE', 'SIGILL'];

function endOf(code: number | null, signal: NodeJS.Signals | null, isTimeout: boolean): End {
  if (isTimeout) return { status: 'timed out', isKilled: true };
  const isKilled = signal !== null && !crashes.includes(signal);
  return { status: signal ? `ended by ${signal}` : `status ${code}`, isKilled };
}

/** The subcommand, which follows the settings. */
function commandOf(args: readonly string[]) {
  let index = 0;
  while (args[index] === '-c') index += 2;
  return args[index] ?? '';
}

function notStarted(error: Error) {
  const isMissing = 'code' in error && error.code === 'ENOENT';
  return new BackupError(
    'storage',
    isMissing
      ? "git cannot be run; check that git is installed and that the repository's directory exists"
      : `git: ${error.message}`,
    { cause: error },
  );
}
