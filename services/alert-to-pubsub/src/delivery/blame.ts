/**
 * Decides whether a message or the sink is to blame for a failure, and after how many rejections a message is given up (dead letter).
 *
 * A sink that has accepted nothing since its settings changed probably has a wrong setting, so its rejections do not count.
 */
import type { SinkError, SinkReason } from '@skolo/alerts';
import type { Turn } from './backlog.ts';
import type { Queue } from './queue.ts';

export interface SinkHealth {
  /** It has accepted a message since its settings changed. */
  hasAccepted: boolean;
  /** Consecutive failures of the sink. Sends that were in flight together count as one. */
  failures: number;
  /** A counter of these: whatever was sent before the last one proves nothing about now. */
  era: number;
  /** Present while something fails; `since` in seconds of uptime. */
  problem: { since: number; reason: SinkReason; detail: string } | undefined;
  /** It has accepted nothing since the last failure. */
  isDown: boolean;
  /** Queues that have failed and not succeeded since. */
  failing: Set<Queue>;
}

export function newHealth(hasAccepted: boolean): SinkHealth {
  const counts = { failures: 0, era: 0, isDown: false };
  return { hasAccepted, ...counts, problem: undefined, failing: new Set() };
}

/** What rests: the sink, the alert, or nothing, because the sink was found to be down meanwhile. Or the message becomes a dead letter. */
type Verdict = 'sink' | 'alert' | 'nothing' | 'message';

/** Rejections of a message until it becomes a dead letter. */
const mostRejections = 4;
/** The code of the error that a dead letter could not be written. */
export const notSetAside = 'DEAD_LETTERS';

/** What was sent in that era has arrived. */
export function worked(health: SinkHealth, era: number): void {
  health.hasAccepted = true;
  health.isDown = false;
  if (era === health.era) health.failures = 0;
}

/** What was sent in that era has failed. */
export function failed(health: SinkHealth, turn: Turn, era: number, error: SinkError): Verdict {
  const { reason, code } = error;
  const [queue] = turn.queues;
  health.isDown = true;
  if (reason === 'rejected' || reason === 'too-large') {
    // One of several is to blame. It is found because fewer are sent next time.
    if (turn.batch.length > 1) return 'nothing';
    health.failing.add(queue);
    if (reason === 'too-large') return 'message';
    queue.rejections = health.hasAccepted ? queue.rejections + 1 : 1;
    return queue.rejections < mostRejections ? 'alert' : 'message';
  }
  for (const each of turn.queues) health.failing.add(each);
  if (code === notSetAside) return 'alert';
  for (const each of turn.queues) each.hasFailed = true;
  if (era !== health.era) return 'nothing';
  health.failures += 1;
  health.era += 1;
  return 'sink';
}

/** Ends the problem if nothing fails any more. Returns how long it lasted, in seconds; undefined: nothing has changed. */
export function recovered(health: SinkHealth, uptime: number): number | undefined {
  const { problem, failures, failing } = health;
  if (problem === undefined || failures > 0 || failing.size > 0) return undefined;
  health.problem = undefined;
  return Math.round(uptime - problem.since);
}
