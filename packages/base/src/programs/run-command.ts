/** Runs a program, in its own process group, with a deadline and an output limit. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { errorCode, errorText } from '../error-text.ts';
import { withDeadline } from '../time/deadline.ts';

/** How a program ended. */
export interface CommandResult {
  /** Undefined: it was ended by a signal. */
  status: number | undefined;
  endedBy?: NodeJS.Signals;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Longer output is cut, and the program ended; 4 MiB by default. */
  mostBytes?: number;
  /** The complete environment; default: that of this process. */
  env?: NodeJS.ProcessEnv;
  /** Default: `/`, because this process's own may be gone. */
  cwd?: string;
  /** A file for standard output: `stdout` of the result is then empty. */
  stdoutFile?: string;
  /** Before it is killed, it gets SIGTERM and this time to exit; default: none. */
  graceMs?: number;
}

/**
 * Runs a program to its end. Its whole group is ended with it, at the latest at the deadline.
 *
 * @throws CommandFailed It is not installed, was too slow, or printed too much.
 * @throws The signal's reason.
 */
export type RunCommand = (
  file: string,
  args: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult>;

export class CommandFailed extends Error {
  readonly code: 'missing' | 'timeout' | 'too-much' | 'not-started' | 'failed';

  constructor(code: CommandFailed['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const usualMostBytes = 4 * 1024 * 1024;
/** How long to wait for the exit after a kill, or for the rest of the output: a daemon may have kept the pipe. */
const lingerMs = 1000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** No shell, no standard input. */
export const runCommand: RunCommand = async (file, args, options) => {
  const { timeoutMs: ms, signal, stdoutFile, mostBytes = usualMostBytes, graceMs = 0 } = options;
  signal?.throwIfAborted();
  const child = start(file, args, options);
  const toFile = stdoutFile === undefined ? undefined : createWriteStream(stdoutFile);
  const late = () => new CommandFailed('timeout', `${file} took longer than ${ms / 1000} s`);
  try {
    return await withDeadline({ ms, late, signal }, () => resultOf(file, child, toFile, mostBytes));
  } finally {
    await end(child, toFile, graceMs);
  }
};

function start(file: string, args: readonly string[], { env, cwd = '/' }: CommandOptions): Child {
  try {
    return spawn(file, args, {
      cwd,
      ...(env !== undefined && { env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // Its own group, which can be ended as one.
      detached: true,
    });
  } catch (error) {
    throw notStarted(file, error);
  }
}

async function resultOf(
  file: string,
  child: Child,
  toFile: WriteStream | undefined,
  mostBytes: number,
): Promise<CommandResult> {
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let bytesLeft = mostBytes;

  function collect(name: 'stdout' | 'stderr', piece: Buffer): boolean {
    const kept = piece.subarray(0, Math.max(0, bytesLeft));
    bytesLeft -= piece.length;
    if (name === 'stderr' || toFile === undefined) output[name].push(kept);
    else if (!toFile.write(kept)) {
      child.stdout.pause();
      toFile.once('drain', () => child.stdout.resume());
    }
    return bytesLeft >= 0;
  }

  type Status = Pick<CommandResult, 'status' | 'endedBy'>;
  const status = await new Promise<Status>((resolve, reject) => {
    const exited = (code: number | null, endedBy: NodeJS.Signals | null) =>
      resolve({ status: code ?? undefined, ...(endedBy !== null && { endedBy }) });
    child.once('error', (error) => reject(notStarted(file, error)));
    toFile?.once('error', reject);
    // Without a free descriptor there are no pipes, and the error follows.
    if (!hasPipes(child)) return;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (piece: Buffer) => {
        if (collect(name, piece)) return;
        reject(new CommandFailed('too-much', `${file} printed more than ${mostBytes} bytes`));
      });
    }
    child.once('exit', (...how) => {
      // Processes left in its group would keep the pipes open.
      signalGroup(child, 'SIGKILL');
      // What it printed while this process was paused or blocked is received first.
      setTimeout(() => setImmediate(() => exited(...how)), lingerMs).unref();
    });
    child.once('close', exited);
  });
  // The program may have ended before the whole file is written.
  if (toFile !== undefined) await finished(toFile.end());
  const [stdout = '', stderr = ''] = [output.stdout, output.stderr].map((pieces) =>
    Buffer.concat(pieces).toString(),
  );
  return { ...status, stdout, stderr };
}

/** Afterwards nothing of it is left: no process of its group, no zombie, no descriptor. */
async function end(child: Child, toFile: WriteStream | undefined, graceMs: number): Promise<void> {
  if (isRunning(child) && graceMs > 0) {
    signalGroup(child, 'SIGTERM');
    await exitOf(child, graceMs);
  }
  if (isRunning(child)) {
    signalGroup(child, 'SIGKILL');
    await exitOf(child, lingerMs);
    child.unref();
  }
  if (hasPipes(child)) {
    child.stdout.destroy();
    child.stderr.destroy();
  }
  // The error of a full disk was already thrown, or its file is merely shorter.
  if (toFile !== undefined) await finished(toFile.end()).catch(() => undefined);
}

function isRunning({ pid, exitCode, signalCode }: Child): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function signalGroup({ pid }: Child, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // No process is left in it.
  }
}

function hasPipes({ stdout, stderr }: ChildProcess): boolean {
  return Boolean(stdout) && Boolean(stderr);
}

/** A process that hangs in the kernel (a USB device that does not respond) survives SIGKILL, so nothing waits for it. */
async function exitOf(child: Child, withinMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, withinMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function notStarted(file: string, error: unknown): CommandFailed {
  const code = errorCode(error);
  if (code === 'ENOENT') return new CommandFailed('missing', `${file} is not installed`);
  return new CommandFailed('not-started', `${file} cannot be run: ${code ?? errorText(error)}`);
}
