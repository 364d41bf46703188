/** Asks a person to type a word to confirm. Each command decides when, and which word. */
import { orAborted } from '@skolo/base';
import { CliError, usageError } from './errors.ts';
import type { Io } from './io.ts';

export interface Question {
  /** `Type …: ` */
  what: string;
  wanted: string;
  /** The option that confirms without a terminal; absent: there is none. */
  option?: string;
  /** What an answer other than the wanted one means. */
  otherwise?: string;
}

/** @throws CliError Nobody can be asked. */
export function mustHaveTerminal({ canAsk }: Pick<Io, 'canAsk'>, option?: string): void {
  if (canAsk) return;
  const how = option === undefined ? 'run the command in a terminal' : `confirm with '${option}'`;
  throw usageError(`cannot ask for confirmation without a terminal; ${how}`);
}

/** @throws CliError The person typed something else, or nothing. */
export async function mustType(
  io: Pick<Io, 'ask' | 'canAsk'>,
  { what, wanted, option, otherwise = 'nothing was changed' }: Question,
  signal: AbortSignal,
): Promise<void> {
  mustHaveTerminal(io, option);
  const answer = await orAborted(io.ask(`Type ${what}: `), signal);
  if (answer?.trim() !== wanted) throw new CliError(otherwise);
}
