/** Runs a program, in a process group of its own, never longer and never more than it may. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** How a program ended. */
export interface CommandResult {
  /** Undefined: it was ended by a signal. */
  status: number | undefined;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** More is cut off, and the program ended; 4 MiB by default. */
  mostBytes?: number;
  /** The whole environment; that of this process by default. */
  env?: NodeJS.ProcessEnv;
  /** Where standard output goes instead: `stdout` of the result is empty. */
  stdoutFile?: string;
}

/**
 * Runs a program to its end. Whatever it started in its group is ended with it, at the latest when the time is up.
 *
 * @throws CommandFailed It is not installed, was too slow, or said too much.
 * @throws The reason of the signal.
 */
export type RunCommand = (
  file: string,
  args: readonly string[],
  options: CommandOptions,
) => Promise<CommandResult>;

export class CommandFailed extends Error {
  readonly code: 'missing' | 'timeout' | 'too-much' | 'not-started';

  constructor(code: CommandFailed['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const usualMostBytes = 4 * 1024 * 1024;
/** How long the end of what was killed, or the rest of its output, is waited for: a daemon may have kept the pipe. */
const lingerMs = 1000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** No shell, no standard input; `/` is its folder, as that of this process may be gone. */
export function createRunCommand(): RunCommand {
  return async (file, args, options) => {
    options.signal?.throwIfAborted();
    const run = new Run(file, start(file, args, options.env), options);
    try {
      return await run.result();
    } finally {
      await run.end();
    }
  };
}

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv | undefined): Child {
  try {
    return spawn(file, args, {
      cwd: '/',
      ...(env !== undefined && { env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, which can be ended as one.
      detached: true,
    });
  } catch (error) {
    throw notStarted(file, error);
  }
}

class Run {
  private readonly stdout: Buffer[] = [];
  private readonly stderr: Buffer[] = [];
  private readonly mostBytes: number;
  private bytes = 0;
  private readonly file: string;
  private readonly child: Child;
  private readonly options: CommandOptions;
  private readonly toFile: Writable | undefined;

  constructor(file: string, child: Child, options: CommandOptions) {
    this.file = file;
    this.child = child;
    this.options = options;
    this.mostBytes = options.mostBytes ?? usualMostBytes;
    this.toFile =
      options.stdoutFile === undefined ? undefined : createWriteStream(options.stdoutFile);
  }

  async result(): Promise<CommandResult> {
    const { child, file, options, toFile } = this;
    let release = () => {};
    try {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const seconds = options.timeoutMs / 1000;
        const late = () =>
          reject(new CommandFailed('timeout', `${file} took longer than ${seconds} s`));
        const abort = () => reject(options.signal?.reason);
        const timer = setTimeout(late, options.timeoutMs);
        let linger: NodeJS.Timeout | undefined;
        options.signal?.addEventListener('abort', abort, { once: true });
        release = () => {
          clearTimeout(timer);
          clearTimeout(linger);
          options.signal?.removeEventListener('abort', abort);
        };
        child.once('error', (error) => reject(notStarted(file, error)));
        toFile?.once('error', reject);
        // Without a descriptor left there are no pipes, and the error comes.
        if (!hasPipes(child)) return;
        const took = (pieces: Buffer[] | undefined) => (piece: Buffer) => {
          const room = this.mostBytes - this.bytes;
          this.bytes += piece.length;
          const kept = piece.length > room ? piece.subarray(0, Math.max(0, room)) : piece;
          if (pieces !== undefined) pieces.push(kept);
          else if (toFile?.write(kept) === false) this.holdUntilDrained();
          if (this.bytes <= this.mostBytes) return;
          reject(
            new CommandFailed('too-much', `${file} printed more than ${this.mostBytes} bytes`),
          );
        };
        child.stdout.on('data', took(toFile === undefined ? this.stdout : undefined));
        child.stderr.on('data', took(this.stderr));
        child.once('exit', (code) => {
          // What it left behind in its group would keep the pipes open.
          this.killGroup();
          linger = setTimeout(() => resolve(code ?? undefined), lingerMs);
        });
        child.once('close', (code) => resolve(code ?? undefined));
      });
      // The program may be through before the file is known to be written, or not.
      if (toFile !== undefined) await finished(toFile.end());
      return { status, stdout: textOf(this.stdout), stderr: textOf(this.stderr) };
    } finally {
      release();
    }
  }

  /** When this is through, nothing of it is left: no process of its group, no zombie, no descriptor. */
  async end(): Promise<void> {
    const { child, toFile } = this;
    if (!hasEnded(child)) {
      this.killGroup();
      await exitOf(child);
    }
    if (hasPipes(child)) {
      child.stdout.destroy();
      child.stderr.destroy();
    }
    if (toFile === undefined) return;
    toFile.end();
    // A disk that is full has said so already, or its file is only shorter.
    await finished(toFile).catch(() => undefined);
  }

  private holdUntilDrained(): void {
    this.child.stdout.pause();
    this.toFile?.once('drain', () => this.child.stdout.resume());
  }

  private killGroup(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // There is nobody left in it.
    }
  }
}

function hasPipes({ stdout, stderr }: ChildProcess): boolean {
  return Boolean(stdout) && Boolean(stderr);
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

/** One that hangs in the kernel (a USB device that does not answer) does not end even by SIGKILL: nobody waits for it. */
async function exitOf(child: Child): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, lingerMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  child.unref();
}

function textOf(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString();
}

function notStarted(file: string, error: unknown): CommandFailed {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ENOENT') return new CommandFailed('missing', `${file} is not installed`);
  return new CommandFailed(
    'not-started',
    `${file} cannot be run: ${code ?? (error instanceof Error ? error.message : String(error))}`,
  );
}
