/**
 * Interprets a failure: the sink is down, one ordering key is blocked, or one message is to blame.
 *
 * While everything fails, the sink as a whole backs off, and no message is blamed: a wrong setting rejects every message alike. A key is
 * blocked if it fails while others succeed; it backs off by itself. Its first message is to blame once it has failed several times, and
 * between any two of these failures others succeeded at their first attempt.
 */
import type { SinkError, SinkReason } from '@skolo/alerts';
import type { Queue } from './backlog.ts';

export interface SinkHealth {
  /** The sink's consecutive failures. Sends that were in flight together count as one. */
  failures: number;
  /** Present while something fails; `since` in seconds of uptime. */
  problem: { since: number; reason: SinkReason; detail: string } | undefined;
  /** Queues that have failed and not succeeded since. */
  failing: Map<Queue, FirstAttempts & { at: number }>;
  /** Of all queues. */
  first: FirstAttempts;
  /** A counter of events, to compare their order. */
  moment: number;
  workedAt: number;
  foundDownAt: number;
}

interface FirstAttempts {
  worked: number;
  failed: number;
}

export function newHealth(): SinkHealth {
  const moments = { moment: 0, workedAt: 0, foundDownAt: 0 };
  const first = { worked: 0, failed: 0 };
  return { failures: 0, problem: undefined, failing: new Map(), first, ...moments };
}

/** Whether other keys succeed while this one does not. */
export function isBlocked(health: SinkHealth, queue: Queue | undefined): boolean {
  return health.failures === 0 && (queue?.failures ?? 0) > 0;
}

/** What backs off: the sink, the queue, or nothing, because the sink was found to be down meanwhile. Or the message is to blame. */
export type Verdict = 'sink' | 'queue' | 'nothing' | 'message';

/**
 * Failures of one message, each with successes of others since the previous one, until it is to blame. A sink that rejects a message is
 * rarely wrong about that; one that is unavailable or slow may be so by chance.
 */
const strikes: Partial<Record<SinkReason, number>> = {
  rejected: 4,
  unavailable: 8,
  timeout: 8,
  permission: 8,
  topic: 8,
};
/** Successes of others at the first attempt for each such failure. With fewer, the sink itself is unstable. */
const mostlyWell = 2;

/** Something is sent. Returns the moment, to be passed with its result. */
export function begin(health: SinkHealth): number {
  health.moment += 1;
  return health.moment;
}

/** What was sent at that moment has arrived. */
export function worked(health: SinkHealth, queue: Queue, begun: number): void {
  health.moment += 1;
  health.workedAt = health.moment;
  if (queue.failures === 0) health.first.worked += 1;
  released(health, queue);
  if (begun > health.foundDownAt) health.failures = 0;
}

/** The queue is unblocked: the message that blocked it is a dead letter. */
export function released(health: SinkHealth, queue: Queue): void {
  queue.failures = 0;
  queue.strikes = 0;
  health.failing.delete(queue);
}

export function failed(
  health: SinkHealth,
  queue: Queue,
  begun: number,
  { reason, message: detail }: SinkError,
  uptime: number,
): Verdict {
  health.problem = { since: health.problem?.since ?? uptime, reason, detail };
  const { first, failing } = health;
  const before = failing.get(queue);
  const othersWork = health.workedAt > (before?.at ?? begun);
  if (before !== undefined) {
    const workedSince = first.worked - before.worked;
    const failedSince = first.failed - before.failed;
    if (workedSince > 0 && workedSince >= mostlyWell * failedSince) queue.strikes += 1;
  }
  if (queue.failures === 0) first.failed += 1;
  health.moment += 1;
  queue.failures += 1;
  failing.set(queue, { at: health.moment, ...first });
  if (othersWork) {
    const most = strikes[reason] ?? Number.POSITIVE_INFINITY;
    return queue.strikes >= most ? 'message' : 'queue';
  }
  if (begun < health.foundDownAt) return 'nothing';
  health.failures += 1;
  health.foundDownAt = health.moment;
  return 'sink';
}

/** Ends the problem if nothing fails any more. Returns how long it lasted, in seconds; undefined: nothing has changed. */
export function recovered(health: SinkHealth, uptime: number): number | undefined {
  const { problem, failures, failing } = health;
  if (problem === undefined || failures > 0 || failing.size > 0) return undefined;
  health.problem = undefined;
  return Math.round(uptime - problem.since);
}
