/** Decides a command's exit code and message, from any error. */
import { errorCode, exitCodes, NamedError } from '@skolo/base';
import type { Io } from './io.ts';

export { exitCodes };

/** An error that the user can fix. The message says what, where, and what to do. */
export class CliError extends NamedError {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** An invalid command line. */
export function usageError(message: string, options?: ErrorOptions): CliError {
  return new CliError(message, exitCodes.wrongCommandLine, options);
}

/** Sets exit code 3 if part of the work was done, otherwise 1. */
export function failPartly(io: Pick<Io, 'exitCode'>, isAnyDone: boolean): void {
  io.exitCode = isAnyDone ? exitCodes.partlyFailed : exitCodes.failed;
}

/** Prints an error and continues. The caller sets the exit code. */
export function complain({ err }: Pick<Io, 'err'>, message: string): void {
  err(sentence(message));
}

interface Failure {
  /** For standard error. */
  lines: string[];
  exitCode: number;
}

/** Message and exit code of an error. Checks the `code`: most commands never load the classes. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CliError) return failure(error.message, error.exitCode);
  if (!(error instanceof Error)) return bug(error);
  const code = errorCode(error) ?? '';
  if (code === 'RACK_INVALID') {
    // One issue per line, beginning with its position, as in compilers.
    return { lines: error.message.split('\n'), exitCode: exitCodes.badConfiguration };
  }
  if (error.name === 'FleetError')
    return failure(error.message, fleetExitCodes.get(code) ?? exitCodes.failed);
  if (code.startsWith('SECRET_') || code === 'STORE' || code === 'WATCH_STATE')
    return failure(error.message, exitCodes.badConfiguration);
  if (code === 'RANGE_SYNTAX') return failure(error.message, exitCodes.wrongCommandLine);
  if (expected.has(code) || expectedNames.has(error.name) || isOfSystem(error)) {
    // `ENOENT: no such file or directory, open 'FILE'` begins with the file.
    const message = error.message.replace(/^[A-Z]+: (.+), \w+ '([^']+)'$/, '$2: $1');
    return failure(message, exitCodes.failed);
  }
  return bug(error);
}

/** An error in one line, without the program's name. */
export function messageOf(error: unknown): { message: string; exitCode: number } {
  const { lines, exitCode } = failureOf(error);
  return { message: lines.join(' ').replace(/^skolo: /, ''), exitCode };
}

/** Other routes to the rack failed before. */
const fleetExitCodes = new Map<string, ExitCode>([
  ['NO_CLUSTERS', 78],
  ['UNKNOWN_RACK', 2],
]);

const expected = new Set([
  'FOREIGN_INVENTORY',
  'API_ERROR',
  'API_UNREACHABLE',
  'SUBSCRIBE',
  'TOKEN_FILE',
  'VALUE_REJECTED',
]);

/** Errors of packages/fleet and packages/setup: all their messages say what to do. */
const expectedNames = new Set([
  'ClusterError',
  'ComputerError',
  'KubectlError',
  'PiError',
  'RegistryError',
]);

/** An error of the operating system, or one caused by it. */
function isOfSystem(error: Error): boolean {
  return [error, error.cause].some((each) => each instanceof Error && 'syscall' in each);
}

function failure(message: string, exitCode: number): Failure {
  return { lines: [sentence(message)], exitCode };
}

function bug(error: unknown): Failure {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return failure(
    `internal error: ${what}; please report it, and include the output with SKOLO_DEBUG=1 set`,
    exitCodes.failed,
  );
}

/** One line, prefixed with the program's name. */
function sentence(text: string): string {
  return `skolo: ${text.trim().replaceAll(/\s*\n\s*/g, ' ')}`;
}

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
