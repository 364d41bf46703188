/**
 * Decides for how long to pause before a retry: growing pauses (back-off), or the pause that a sink requests. A sink repeats
 * what may have arrived ever more rarely.
 */
import { type BackOffOptions, backOffMs, pause as usualPause } from '@skolo/base';
import type { SinkError } from '../sink.ts';

export type BackOffTimes = Pick<BackOffOptions, 'firstMs' | 'maxMs'>;

/** Waits before the next attempt. `error`: the sink's. */
export type BackOff = (failures: number, error?: SinkError, times?: BackOffTimes) => Promise<void>;

interface BackOffDeps {
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  stopping: AbortSignal;
  random?: (() => number) | undefined;
  /** Instead of all others. */
  times?: BackOffTimes | undefined;
}

/** The first is short, because a receiver may fail at every other request. */
export const usualTimes: BackOffTimes = { firstMs: 100, maxMs: 30_000 };
/** For a sink that has never accepted a message with its settings: it probably waits for a person. */
export const newTimes: BackOffTimes = { firstMs: 100, maxMs: 300_000 };
/** For a message that may have arrived: the receiver may show each repetition to a person. */
export const doubtTimes: BackOffTimes = { firstMs: 15_000, maxMs: 600_000 };
/** A message that may have arrived so often is not sent again once a later one waits for it; the webhook of backups never repeats it then. */
export const mostDoubts = 3;
/** The longest pauses that a sink may request: proxies request hours, and a page must not wait for them. */
const mostAskedSeconds = { quota: 300, other: 60 };

/** The pauses between a sink's retries. They end early, without an error, when it stops. */
export function createBackOff(deps: BackOffDeps): BackOff {
  const { pause = usualPause, stopping, random = Math.random, times: own } = deps;
  return async function backOff(failures, error, times = usualTimes) {
    const ms = backOffMs(failures, { ...times, ...own, random });
    await pause(Math.max(ms, askedMs(error)), stopping).catch(() => undefined);
  };
}

/** The pause that the sink requests, in milliseconds. */
export function askedMs(error: SinkError | undefined): number {
  const most = mostAskedSeconds[error?.reason === 'quota' ? 'quota' : 'other'];
  return Math.min(error?.retryAfterSeconds ?? 0, most) * 1000;
}
