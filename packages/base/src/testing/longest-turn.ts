/** What the longest turn of the event loop costs while a reader works: processor time of this thread, and memory that it leaves behind. */
import { setImmediate } from 'node:timers/promises';
import { threadCpuMs } from '../time/cpu-time.ts';

export interface Turn {
  /** Processor time, which other work on the computer hardly changes. */
  ms: number;
  /** More memory than before, garbage included, at the end of the turn that left most. */
  mib: number;
}

/** The most of any turn until the work has ended, with whatever result. */
export async function longestTurn(work: () => unknown): Promise<Turn> {
  const longest: Turn = { ms: 0, mib: 0 };
  let isDone = false;
  const memory = usedMemory();
  let before = threadCpuMs();
  const ended = (async () => await work())().catch(() => undefined);
  void ended.then(() => {
    isDone = true;
  });
  while (!isDone) {
    longest.ms = Math.max(longest.ms, threadCpuMs() - before);
    longest.mib = Math.max(longest.mib, (usedMemory() - memory) / 2 ** 20);
    before = threadCpuMs();
    // Once in each turn.
    await setImmediate();
  }
  return { ...longest, ms: Math.max(longest.ms, threadCpuMs() - before) };
}

function usedMemory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
