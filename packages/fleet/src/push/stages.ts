/** Decides which racks a push changes at the same time, and when the next stage starts: canaries come first, then wave by wave. */
import { inParallel } from '@skolo/base';
import type { Fleet } from '../racks/clusters.ts';

/** Maximum number of racks that are prepared or changed at the same time. */
export const racksAtOnce = 4;

interface Stages<R> {
  stages: readonly (readonly string[])[];
  /** Whether a failed rack prevents others from starting. */
  onFailure: 'stop' | 'continue';
  hasFailed(rack: R): boolean;
  /** Racks that have not started stay as they are. */
  signal: AbortSignal;
}

/** Canaries first, then wave by wave. Racks in the same stage change in parallel. */
export function stagesOf({ racks }: Fleet): string[][] {
  const ranked = racks.map(({ name, canary, wave }) => ({ name, rank: canary ? -1 : wave }));
  const byRank = Map.groupBy(ranked, ({ rank }) => rank);
  return [...byRank].sort(([a], [b]) => a - b).map(([, stage]) => stage.map(({ name }) => name));
}

/** @param work receives the rack that prevents this one from starting */
export async function inStages<R extends { name: string }>(
  racks: readonly R[],
  { stages, onFailure, hasFailed, signal }: Stages<R>,
  work: (rack: R, failed: R | undefined) => Promise<void>,
): Promise<void> {
  for (const stage of stages) {
    const due = racks.filter(({ name }) => stage.includes(name));
    await inParallel(due, racksAtOnce, async (rack) => {
      if (signal.aborted) return;
      await work(rack, onFailure === 'stop' ? racks.find(hasFailed) : undefined);
    });
  }
}
