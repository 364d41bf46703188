/** Waits for a computer by polling. */
import { errorText, pause } from '@skolo/base';

interface WaitOptions {
  withinMs: number;
  pollMs: number;
  signal: AbortSignal;
  /** Called for each new reason. */
  report?(why: string): void;
}

/**
 * Polls until no reason to wait remains or the time is over. An error is also a reason.
 *
 * @param look returns a reason to wait; undefined: none
 * @returns the last reason
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
