/** A computer, as root: commands and files over one SSH connection. */
import type { ChildProcess } from 'node:child_process';
import { addAbortListener, once } from 'node:events';
import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path/posix';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bytesUpTo, script, sha256, shellWord, withArguments, withDeadline } from '@skolo/base';
import { ComputerError } from '../errors.ts';

interface Ended {
  code: number;
  stdout: string;
  /** Trimmed. */
  stderr: string;
}

export interface RunOptions {
  /** For standard input, because secrets must not be arguments. */
  input?: string | Buffer | Readable;
  deadlineMs?: number;
  /** Limit of its output and of its errors, for a host that is not trusted yet. Default: none. */
  mostBytes?: number;
}

export interface FileContent {
  path: string;
  content: string | Buffer | LocalFile;
  /** Default 0644. Its owner is root. */
  mode?: number;
}

/** A small configuration file with its mode, also used in images. */
export interface TextFile {
  path: string;
  content: string;
  mode: number;
}

/** A local file, with the digest that it must have on the host, in hexadecimal. */
export interface LocalFile {
  file: string;
  sha256: string;
}

/** A computer, as root. Every command has a deadline and ends with the signal. */
export interface Host {
  /** The host's name, for messages. */
  name: string;
  /**
   * Runs a script in a POSIX shell.
   *
   * @throws ComputerError The connection dropped, or the deadline passed.
   */
  run(script: string, options?: RunOptions): Promise<Ended>;
  /**
   * Runs a script that must succeed, and returns its output.
   *
   * @throws ComputerError It failed.
   */
  need(script: string, options?: RunOptions): Promise<string>;
  /** Writes a file atomically, even if the connection or the power fails. @throws ComputerError */
  write(file: FileContent): Promise<void>;
  /** Undefined if it does not exist. @throws ComputerError */
  read(path: string): Promise<string | undefined>;
}

interface HostOptions {
  name: string;
  /** Starts `ssh` with this command. Standard input, output and errors are pipes. */
  start(command: string, signal: AbortSignal): Promise<ChildProcess>;
  /** Aborts all commands. */
  signal: AbortSignal;
}

const writeFile = script(new URL('./write.sh', import.meta.url));
const usualDeadlineMs = 60_000;
/** For a large file over a slow connection. */
const writeDeadlineMs = 3_600_000;
/** ssh's own exit code for a failed connection. Our scripts do not use it. */
const lostCode = 255;

/** @throws ComputerError The user is not root and cannot become root. */
export async function openHost(options: HostOptions): Promise<Host> {
  const id = await execute(options, 'id -u', {});
  if (id.code !== 0) throw unusable(options.name, id);
  if (id.stdout.trim() === '0') return hostWith(options, asUser);
  const asRoot = (script: string) => `exec sudo -n -- sh -c ${shellWord(script)}`;
  const sudo = await execute(options, asRoot('id -u'), {});
  if (sudo.stdout.trim() === '0') return hostWith(options, asRoot);
  const why = sudo.stderr.split('\n').at(-1);
  throw new ComputerError(
    `${options.name}: you are not root, and passwordless sudo does not work (${why}); sign in as root (set \`user\` in kube/clusters/config.json for a jumphost, or the login in rack.yaml for a machine), or allow passwordless sudo (NOPASSWD in sudoers)`,
  );
}

/** A computer as the user who signs in, for what does not require root. */
export function openUserHost(options: HostOptions): Pick<Host, 'name' | 'run'> {
  return hostWith(options, asUser);
}

function asUser(script: string): string {
  return `exec sh -c ${shellWord(script)}`;
}

function unusable(name: string, { stderr }: Ended): ComputerError {
  return new ComputerError(`${name}: no shell available: ${stderr || 'id -u failed'}`);
}

function hostWith(options: HostOptions, wrapped: (script: string) => string): Host {
  const { name } = options;
  const run: Host['run'] = (script, how = {}) => execute(options, wrapped(script), how);
  const need: Host['need'] = async (script, how) => {
    const { code, stdout, stderr } = await run(script, how);
    if (code === 0) return stdout;
    throw new ComputerError(`${name}: ${failureText(stderr, stdout, code)}`);
  };
  return {
    name,
    run,
    need,
    async write({ path, content, mode = 0o644 }) {
      const { input, sha256 } = bytesOf(content);
      const folder = dirname(path);
      const draft = join(folder, `.${basename(path)}.skolo-new`);
      const script = withArguments(writeFile, draft, folder, path, sha256, mode.toString(8));
      try {
        await need(script, { input, deadlineMs: writeDeadlineMs });
      } catch (cause) {
        if (!(cause instanceof ComputerError) || cause.code !== undefined) throw cause;
        throw new ComputerError(`${cause.message} (writing ${path})`, { cause });
      }
    },
    async read(path) {
      const file = shellWord(path);
      const { code, stdout, stderr } = await run(`[ -e ${file} ] || exit 44; cat ${file}`);
      if (code === 44) return undefined;
      if (code === 0) return stdout;
      throw new ComputerError(`${name}: ${stderr}`);
    },
  };
}

function bytesOf(content: FileContent['content']) {
  if (typeof content === 'object' && 'file' in content) {
    return { input: createReadStream(content.file), sha256: content.sha256 };
  }
  return { input: Buffer.from(content), sha256: sha256(content) };
}

async function execute(
  { name, start, signal }: HostOptions,
  command: string,
  { input = '', deadlineMs = usualDeadlineMs, mostBytes = Number.POSITIVE_INFINITY }: RunOptions,
): Promise<Ended> {
  const limit = (ms: number, signal: AbortSignal) => {
    return {
      ms,
      late: () => lost(`${name}: no response within ${ms / 1000} s; try again`),
      signal,
    };
  };
  return await withDeadline(limit(deadlineMs, signal), async (stop) => {
    // The connection to a host that is off may never return, and some commands have an hour.
    const child = await withDeadline(limit(Math.min(deadlineMs, usualDeadlineMs), stop), (begin) =>
      start(command, begin),
    );
    using _ended = addAbortListener(stop, () => {
      child.kill('SIGKILL');
      // The connection that all commands share still has these pipes, until the command on the computer exits.
      for (const stream of child.stdio) stream?.destroy();
    });
    return await collect(name, child, input, mostBytes);
  });
}

function lost(message: string): ComputerError {
  return new ComputerError(message, { code: 'LOST' });
}

async function collect(
  name: string,
  child: ChildProcess,
  input: NonNullable<RunOptions['input']>,
  mostBytes: number,
): Promise<Ended> {
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error('ssh has no pipes');
  const source = input instanceof Readable ? input : Readable.from([Buffer.from(input)]);
  // A script may exit without reading all of it, and prints why. An unreadable local file ends the command.
  const sent = pipeline(source, stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
  const textUpTo = (stream: Readable) =>
    bytesUpTo(mostBytes, stream, () => {
      child.kill('SIGKILL');
      return new ComputerError(`${name}: a command printed more than ${mostBytes} bytes`);
    });
  const [said, complaint, [code]] = await Promise.all([
    textUpTo(stdout),
    textUpTo(stderr),
    once(child, 'close'),
    sent,
  ]);
  if (code === null || code === lostCode) {
    const why = `${complaint}`.trim().split('\n').at(-1) || 'no reason given';
    throw lost(`${name}: the SSH connection failed (${why}); run the command again`);
  }
  return { code, stdout: `${said}`, stderr: `${complaint}`.trim() };
}

/** Messages of the kernel, Go, apt, and SQLite, which stores k3s's database. */
const isFull = /no space left on device|You don't have enough free space|disk is full/i;

/** A command's error in one line. */
function failureText(stderr: string, stdout: string, code: number): string {
  const lines = (stderr || stdout)
    .trim()
    .split(/[\r\n]+/)
    .filter(Boolean);
  const shown = lines.slice(-3).join('; ') || `a command failed (${code})`;
  return isFull.test(shown)
    ? `${shown}; the disk is full; free disk space, for example with \`journalctl --vacuum-size=200M\` and \`apt-get clean\`, and run the command again`
    : shown;
}
