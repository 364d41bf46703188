/** Runs a program, in a process group of its own, never longer and never more than it may. */

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
