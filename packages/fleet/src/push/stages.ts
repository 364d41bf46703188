/** Decides which racks a push changes at the same time, and when the next stage starts. */
import { inParallel } from '@skolo/base';

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
