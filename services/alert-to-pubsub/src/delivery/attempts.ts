/** Decides how long one attempt to send to a sink may take. */
import { SinkError } from '@skolo/alerts';
import { errorText } from '@skolo/base';

export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

interface SendDeps {
  pause: Pause;
  /** Aborts it earlier. */
  closing: AbortSignal;
}

/** How long an aborted send may take to stop. */
export const graceMs = 5000;

/** @throws SinkError `timeout` if it took longer */
export async function sendWithin(
  ms: number,
  send: (signal: AbortSignal) => Promise<void>,
  { pause, closing }: SendDeps,
): Promise<void> {
  const ending = new AbortController();
  const over = new AbortController();
  const close = () => ending.abort(closing.reason);
  let isLate = false;
  const tooLong = () => new SinkError('timeout', 'NO_ANSWER', `no response within ${ms / 1000} s`);

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

/** Fulfilled when the work has ended, or the time is over. */
export async function settled(work: Promise<unknown>, ms: number, pause: Pause): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, pause(ms, over.signal).catch(() => undefined)]);
  over.abort();
}

/** @param error whatever a sink threw */
export function asSinkError(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  const code = error instanceof Error ? error.name : 'UNKNOWN';
  return new SinkError('unavailable', code, errorText(error), { cause: error });
}
