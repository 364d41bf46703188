/** Racks in stages: those of one stage change at the same time, and the next stage begins when it has ended. */
import { inParallel } from '@skolo/base';

/** Racks that are prepared, or changed, at the same time. */
export const racksAtOnce = 4;

interface Stages<R> {
  stages: readonly (readonly string[])[];
  /** Whether a rack that has failed keeps others from beginning. */
  onFailure: 'stop' | 'continue';
  hasFailed(rack: R): boolean;
  /** All that has not begun then stays as it is. */
  signal: AbortSignal;
}

/** @param work gets the rack that keeps this one from beginning */
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
