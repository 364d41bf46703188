/** How far cycles are: what is known of them, and in what words it is summed up. */
import type { PowerCycle } from '@skolo/api';
import { duration } from '../../output/time.ts';
import { isGood, isOver, outcomeWord } from './cycle-words.ts';

export interface AskedCycle {
  id: string;
  target: string;
}

/** Who waits for cycles, and what it knows of them. */
export interface Progress {
  /** In the order in which they were asked for. */
  asked: readonly AskedCycle[];
  /** By id. One that is missing has not been heard of yet. */
  cycles: ReadonlyMap<string, PowerCycle>;
  /** The clock of the service is ahead of ours. */
  clockAheadMs: number;
  /** Why there is no connection now. */
  lost?: string | undefined;
}

export type Standing = 'good' | 'under way' | 'queued' | 'bad';

export function standingOf(cycle: PowerCycle | undefined): Standing {
  if (cycle === undefined) return 'queued';
  if (isOver(cycle)) return isGood(cycle) ? 'good' : 'bad';
  return cycle.step === 'queued' ? 'queued' : 'under way';
}

/** `1 failed, 20 back, 4 under way, 15 queued`: what matters most is not cut off. */
export function tally(cycles: readonly (PowerCycle | undefined)[]): string {
  const order: Standing[] = ['bad', 'good', 'under way', 'queued'];
  const counts = order.flatMap((standing) => {
    const words = new Map<string, number>();
    for (const cycle of cycles.filter((each) => standingOf(each) === standing)) {
      const word = cycle?.outcome === undefined ? standing : outcomeWord(cycle.outcome);
      words.set(word, (words.get(word) ?? 0) + 1);
    }
    return [...words].map(([word, number]) => `${number} ${word}`);
  });
  return counts.join(', ');
}

/** The one line that says it all. */
export function summary(progress: Progress, now: number): string {
  const { asked, cycles, lost } = progress;
  const parts = tally(asked.map(({ id }) => cycles.get(id)));
  const noConnection = lost === undefined ? '' : `no connection (${lost}), trying again; `;
  const took = duration(secondsOfAll(progress, now));
  return `${noConnection}${asked.length} asked for, ${took}: ${parts}`;
}

/** By the clock of the service: from when the first was asked for until the last is over, or until now. */
function secondsOfAll({ asked, cycles, clockAheadMs }: Progress, now: number): number {
  const known = [...cycles.values()];
  const begin = Math.min(...known.map(({ requestedAt }) => Date.parse(requestedAt)));
  const ends = known.flatMap(({ finishedAt }) => finishedAt ?? []).map((time) => Date.parse(time));
  const end = ends.length < asked.length ? now + clockAheadMs : Math.max(...ends);
  return known.length === 0 ? 0 : (end - begin) / 1000;
}
