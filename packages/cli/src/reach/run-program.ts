/** Runs a program in the terminal while skolo waits. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { errorText } from '@skolo/base';
import { CliError } from '../errors.ts';
import type { Io } from '../io.ts';

export interface ProgramEnd {
  /** As a shell returns it: 128 plus the number of the signal that ended it. */
  exitCode: number;
  /** A signal arrived while it ran. */
  isStopped: boolean;
}

/**
 * Waits for a program to end. Ctrl-C only concerns the program, which gets it from the terminal; SIGTERM and SIGHUP are passed on.
 *
 * @throws CliError It could not be started.
 */
export async function programEnd(
  { onSignal }: Pick<Io, 'onSignal'>,
  name: string,
  child: ChildProcess,
): Promise<ProgramEnd> {
  let isStopped = false;
  const end = onSignal((signal) => {
    isStopped = true;
    if (signal !== 'SIGINT') child.kill(signal);
  });
  try {
    const [code, signal] = await once(child, 'exit');
    return { exitCode: code ?? 128 + numberOf(signal), isStopped: isStopped || signal !== null };
  } catch (cause) {
    throw new CliError(`${name} cannot be started (${errorText(cause)})`, 126, { cause });
  } finally {
    end();
  }
}

function numberOf(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}
