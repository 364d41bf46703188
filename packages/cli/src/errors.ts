import { errorCode } from '@skolo/errors';
import type { Io } from './io.ts';

/** Something that the person at the terminal can do something about. The message says what, where, and what to do. */
export class CliError extends Error {
  readonly code = 'CLI';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

/** The command line makes no sense. */
export function usageError(message: string, options?: ErrorOptions): CliError {
  return new CliError(message, exitCodes.wrongCommandLine, options);
}

/** Something went wrong: 3 where something else was done, 1 where nothing was. */
export function failPartly(io: Pick<Io, 'exitCode'>, isAnyDone: boolean): void {
  io.exitCode = isAnyDone ? exitCodes.partlyFailed : exitCodes.failed;
}

/** Says what is wrong while the rest goes on. The caller sets the exit code. */
export function complain({ err }: Pick<Io, 'err'>, message: string): void {
  err(sentence(message));
}

interface Failure {
  /** For standard error. One, unless there is more to say than one thing. */
  lines: string[];
  exitCode: ExitCode;
}

/**
 * What is said of an error, and how the process ends. Errors of the packages are known by their `code`: their classes
 * are in modules that most commands never load.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof CliError) return failure(error.message, error.exitCode);
  if (!(error instanceof Error)) return bug(error);
  const code = errorCode(error) ?? '';
  if (code === 'RACK_INVALID') {
    // One issue a line, beginning with its place, as editors and people know it from compilers.
    return { lines: error.message.split('\n'), exitCode: exitCodes.badConfiguration };
  }
  if (code.startsWith('SECRET_') || code === 'WATCH_STATE')
    return failure(error.message, exitCodes.badConfiguration);
  if (code === 'RANGE_SYNTAX') return failure(error.message, exitCodes.wrongCommandLine);
  if (expected.has(code) || isOfSystem(error)) return failure(error.message, exitCodes.failed);
  return bug(error);
}

const expected = new Set(['API_ERROR', 'API_UNREACHABLE', 'SUBSCRIBE', 'TOKEN_FILE']);

/** From the system itself, or from a package that says which file it was about. */
function isOfSystem(error: Error): boolean {
  return [error, error.cause].some((each) => each instanceof Error && 'syscall' in each);
}

function failure(message: string, exitCode: ExitCode): Failure {
  return { lines: [sentence(message)], exitCode };
}

function bug(error: unknown): Failure {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return failure(
    `a mistake in skolo itself: ${what}; please report it, with what SKOLO_DEBUG=1 shows`,
    exitCodes.failed,
  );
}

/** One line, with the name of the program, as other programs do. */
function sentence(text: string): string {
  return `skolo: ${text.trim().replaceAll(/\s*\n\s*/g, ' ')}`;
}

/** How `skolo` ends (design, section 3); the same as in packages/common, which is too heavy to load for five numbers. */
export const exitCodes = {
  done: 0,
  failed: 1,
  /** Nothing was tried. */
  wrongCommandLine: 2,
  /** Some of what was asked for was done. */
  partlyFailed: 3,
  /** rack.yaml, or a file that it names, is not as it has to be: EX_CONFIG of sysexits.h. */
  badConfiguration: 78,
  /** Ctrl-C, as shells write it: 128 and the number of the signal. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
