import { failureOf } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';

/**
 * Asks each service that keeps host keys, and gives the answers. One that does not answer does not hide what the others
 * say: then the exit code is 3.
 *
 * @throws The error of the first, where none answers.
 */
export async function askKeepers<Keeper, T>(
  io: Pick<Io, 'err' | 'exitCode'>,
  keepers: readonly Keeper[],
  ask: (keeper: Keeper) => Promise<T>,
): Promise<T[]> {
  const answers = await Promise.allSettled(keepers.map(ask));
  const good = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  if (good.length === 0) throw errors[0];
  for (const line of errors.flatMap((error) => failureOf(error).lines)) io.err(line);
  if (errors.length > 0) io.exitCode = exitCodes.partlyFailed;
  return good;
}
