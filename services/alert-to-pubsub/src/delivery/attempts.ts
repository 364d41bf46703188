/**
 * Decides how long to wait for a sink, and for how long to pause before a retry: growing pauses (back-off), or the pause that a sink
 * requests.
 */
import { SinkError } from '@skolo/alerts';
import { type BackOffOptions, backOffMs, errorText } from '@skolo/base';

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

type BackOffTimes = Pick<BackOffOptions, 'firstMs' | 'maxMs'>;

/** Waits before the next attempt. `error`: the sink's. */
export type BackOff = (failures: number, error?: SinkError, times?: BackOffTimes) => Promise<void>;

interface BackOffDeps {
  pause: Pause;
  stopping: AbortSignal;
  random?: (() => number) | undefined;
  /** Instead of all others. */
  times?: BackOffTimes | undefined;
}

/** The first is short, because a receiver may fail at every other request. */
export const usualTimes = { firstMs: 100, maxMs: 30_000 };
/** For a sink that has never accepted a message with its settings: it probably waits for a person. */
export const newTimes = { firstMs: 100, maxMs: 300_000 };
/** For a message that may have arrived: the receiver may show each repetition to a person. */
export const doubtTimes = { firstMs: 15_000, maxMs: 600_000 };
/** The longest pauses that a sink may request: proxies request hours, and a page must not wait for them. */
const mostAskedSeconds = { quota: 300, other: 60 };

/** The pauses between a sink's retries: of reading the spool, sending, writing notices. */
export function createBackOff(deps: BackOffDeps): BackOff {
  const { pause, stopping, random = Math.random, times: own } = deps;
  return async function backOff(failures, error, times = usualTimes) {
    const ms = backOffMs(failures, { ...times, ...own, random });
    const most = mostAskedSeconds[error?.reason === 'quota' ? 'quota' : 'other'];
    const asked = Math.min(error?.retryAfterSeconds ?? 0, most) * 1000;
    await pause(Math.max(ms, asked), stopping).catch(() => undefined);
  };
}
