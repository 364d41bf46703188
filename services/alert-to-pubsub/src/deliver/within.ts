/** Sending with an end: a sink that hangs is told to stop, and given up when it does not. */
import { SinkError } from '@skolo/alerts';

export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export interface WithinDeps {
  pause: Pause;
  /** The end of everything. */
  closing: AbortSignal;
}

/** How long a send that was told to stop may take for it. */
export const graceMs = 5000;

/**
 * Not `AbortSignal.any` with `AbortSignal.timeout`: Node 20 forgets both at the next garbage collection.
 *
 * @throws SinkError `timeout` when it took longer
 */
export async function within(
  ms: number,
  send: (signal: AbortSignal) => Promise<void>,
  { pause, closing }: WithinDeps,
): Promise<void> {
  const ending = new AbortController();
  const over = new AbortController();
  const close = () => ending.abort(closing.reason);
  let isLate = false;
  const tooLong = () =>
    new SinkError('timeout', 'NO_ANSWER', `it has not answered within ${ms / 1000} s`);

  async function watch(): Promise<never> {
    await pause(ms, over.signal);
    isLate = true;
    ending.abort(tooLong());
    await pause(graceMs, over.signal);
    throw tooLong();
  }

  closing.addEventListener('abort', close);
  if (closing.aborted) close();
  try {
    await Promise.race([send(ending.signal), watch()]);
  } catch (error) {
    throw isLate ? tooLong() : error;
  } finally {
    over.abort();
    closing.removeEventListener('abort', close);
  }
}
