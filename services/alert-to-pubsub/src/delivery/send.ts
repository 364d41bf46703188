/** Sends within a time limit: a sink that hangs is aborted, and abandoned when it does not stop. */
import { SinkError } from '@skolo/alerts';
import { errorText } from '@skolo/common';

export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export interface SendDeps {
  pause: Pause;
  /** Aborts it earlier. */
  closing: AbortSignal;
}

/** How long an aborted send may take to stop. */
export const graceMs = 5000;

/**
 * @throws SinkError `timeout` when it took longer
 */
export async function sendWithin(
  ms: number,
  send: (signal: AbortSignal) => Promise<void>,
  { pause, closing }: SendDeps,
): Promise<void> {
  const ending = new AbortController();
  const over = new AbortController();
  const close = () => ending.abort(closing.reason);
  let isLate = false;
  const tooLong = () => new SinkError('timeout', 'NO_ANSWER', `no answer within ${ms / 1000} s`);

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

/** @param error whatever a sink threw */
export function asSinkError(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  const code = error instanceof Error ? error.name : 'UNKNOWN';
  return new SinkError('unavailable', code, errorText(error), { cause: error });
}
