/**
 * Decides how a missing phone is repaired: which of rack.yaml's steps is tried next, when it is retried, and when it is given up (repair
 * ladder). Pure: from the time, in seconds since boot, and what is known, to the next state and possibly a step.
 */
import { count } from '@skolo/base';
import type { MachinePart } from '@skolo/rack/machine-part';

export type RepairSettings = MachinePart['swarming']['repair'];
export type RepairStep = RepairSettings['steps'][number];

export interface Ladder {
  /** It is broken since then; undefined: it is not. */
  brokenAt?: number;
  /** The first is 1. */
  round: number;
  /** In this round. */
  tried: readonly RepairStep[];
  /** Steps that were not possible, and the earliest time to retry them. They do not count as tried. */
  postponedUntil: Readonly<Partial<Record<RepairStep, number>>>;
  /** The earliest time of the next attempt. */
  nextAt: number;
  /** Under way now. */
  running?: RepairStep;
  /** Given up, and why. */
  givenUp?: string;
}

/**
 * - `well`: it is present; its ladder starts over, even if it was given up.
 * - `broken`: it needs repair.
 * - `unclear`: unknown, or it is intentionally away. Nothing is done, and the ladder stays.
 */
export type Condition = 'well' | 'broken' | 'unclear';

export interface LadderFacts {
  /** Seconds since boot. */
  now: number;
  condition: Condition;
  /** No task runs, it is not held, and no other step is under way. */
  mayAct: boolean;
  /** What can be tried with it, in this order. */
  steps: readonly RepairStep[];
  /** Only a person can restore it, and `steps` are those that may help all the same. */
  needsPerson?: boolean;
  /** Why steps are only noted; undefined: they are carried out. */
  whyNotActing?: string | undefined;
}

export type LadderSettings = Pick<RepairSettings, 'afterSeconds' | 'pauseSeconds' | 'rounds'>;

/** How a step ended. `later`: not rejected, but not possible for this many seconds. */
type StepEnd = { later?: number | undefined };

export const healthy: Ladder = { round: 1, tried: [], postponedUntil: {}, nextAt: 0 };

/** What follows from what is known now. `step` must be started; nothing else is until `stepEnded`. */
export function climb(
  ladder: Ladder,
  facts: LadderFacts,
  settings: LadderSettings,
): { ladder: Ladder; step?: RepairStep } {
  const { now, condition, mayAct, steps } = facts;
  if (condition === 'well') {
    const { running } = ladder;
    return { ladder: running === undefined ? healthy : { ...healthy, running } };
  }
  if (condition === 'unclear') return { ladder };
  const left = steps.filter((candidate) => !ladder.tried.includes(candidate));
  if (ladder.givenUp !== undefined) {
    if (left.length === 0) return { ladder };
    // What prevented these steps is over, such as a lock that a person has ended, who may still be working on it.
    const { givenUp: _, ...again } = ladder;
    return climb({ ...again, nextAt: now + settings.afterSeconds }, facts, settings);
  }
  if (ladder.brokenAt === undefined) {
    const begun = { ...ladder, brokenAt: now, nextAt: now + settings.afterSeconds };
    return climb(begun, facts, settings);
  }
  if (ladder.running !== undefined || now < ladder.nextAt) return { ladder };
  if (left.length === 0) {
    const isLast = ladder.round >= settings.rounds || steps.length === 0;
    if (isLast) return { ladder: { ...ladder, givenUp: whyGivenUp(ladder, facts) } };
    const next = { ...ladder, round: ladder.round + 1, tried: [], postponedUntil: {} };
    return climb(next, facts, settings);
  }
  const step = left.find((candidate) => (ladder.postponedUntil[candidate] ?? 0) <= now);
  if (step === undefined || !mayAct) return { ladder };
  return { ladder: { ...ladder, running: step }, step };
}

/** The current step has ended; the next reading shows whether it helped. */
export function stepEnded(
  ladder: Ladder,
  now: number,
  { later }: StepEnd,
  { pauseSeconds }: Pick<LadderSettings, 'pauseSeconds'>,
): Ladder {
  const { running, ...rest } = ladder;
  if (running === undefined || rest.brokenAt === undefined) return rest;
  // It may have broken again during the step: then it has the usual time to come back by itself.
  const nextAt = Math.max(rest.nextAt, now + pauseSeconds);
  if (later === undefined) return { ...rest, tried: [...rest.tried, running], nextAt };
  const until = now + Math.max(pauseSeconds, later);
  return { ...rest, postponedUntil: { ...rest.postponedUntil, [running]: until }, nextAt };
}

function whyGivenUp({ round }: Ladder, { steps, needsPerson, whyNotActing }: LadderFacts): string {
  if (needsPerson) return 'only a person can restore it';
  if (steps.length === 0) return 'no repair step is available for this device';
  if (whyNotActing !== undefined) return whyNotActing;
  return `${count(round, 'round')} of repair (${steps.join(', ')}) did not restore it`;
}
