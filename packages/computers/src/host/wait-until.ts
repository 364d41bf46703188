/** Waits for a computer, by looking again and again. */
import { errorText, pause } from '@skolo/base';

interface WaitOptions {
  withinMs: number;
  pollMs: number;
  signal: AbortSignal;
  /** Called for each new reason. */
  report?(why: string): void;
}

/**
 * Looks until nothing is in the way, or the time is over. An error of a look is in the way, too.
 *
 * @param look undefined: nothing is in the way
 * @returns what is in the way in the end
 */
export async function waitUntil(
  look: () => Promise<string | undefined>,
  { withinMs, pollMs, signal, report }: WaitOptions,
): Promise<string | undefined> {
  const end = performance.now() + withinMs;
  let reported: string | undefined;
  for (;;) {
    const why = await look().catch(errorText);
    signal.throwIfAborted();
    if (why === undefined || performance.now() > end) return why;
    if (why !== reported) report?.(why);
    reported = why;
    await pause(pollMs, signal);
  }
}
