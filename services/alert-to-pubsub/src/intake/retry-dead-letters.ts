/** Sends dead letters again, once the reason for their rejection is fixed. */
import { SpooledMessage } from '@skolo/alerts';
import type { DeadLetter } from '@skolo/api';
import type { DeadLetters } from '../state/dead-letters.ts';
import type { Intake } from './intake.ts';

interface RetryDeps {
  deadLetters: Pick<DeadLetters, 'useAndRemove'>;
  intake: Pick<Intake, 'resend'>;
}

interface Retried {
  retried: number;
  /** Dead letters that are kept: not a message, cut because of its size, or its sink has left rack.yaml. */
  kept: number;
}

/**
 * Puts them into the spool, each for the sink that rejected it, and removes them from the dead letters. After a crash in between they are
 * still among the dead letters: the messages may then be sent twice, with the same ID.
 *
 * @param sinks the sinks in rack.yaml
 * @param sink only its dead letters
 * @throws Rejection, FileNotWritten
 */
export async function retryDeadLetters(
  { deadLetters, intake }: RetryDeps,
  sinks: readonly string[],
  sink: string | undefined,
): Promise<Retried> {
  const there = new Set(sinks);
  let retried = 0;
  let kept = 0;
  function isWanted({ from, found }: DeadLetter): boolean {
    if (sink !== undefined && from !== sink) return false;
    const isMessage = there.has(from) && SpooledMessage.safeParse(found).success;
    if (!isMessage) kept += 1;
    return isMessage;
  }
  await deadLetters.useAndRemove(isWanted, async (letters) => {
    for (const name of there) {
      const own = letters.filter(({ from }) => from === name);
      if (own.length === 0) continue;
      await intake.resend(
        own.map(({ found }) => SpooledMessage.parse(found)),
        name,
      );
    }
    retried = letters.length;
  });
  return { retried, kept };
}
