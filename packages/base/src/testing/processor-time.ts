/**
 * What work costs, for tests: neither other work on the computer nor the speed of its processor
 * changes it much.
 */
import { collectGarbage } from './collect-garbage.ts';

const maxTries = 12;
/**
 * Processor time of the yardstick on a usual computer of 2026, on which tests chose their limits,
 * in milliseconds.
 */
const referenceMs = 10;

/**
 * Returns the processor time of this process during the work, in milliseconds of the reference
 * computer, with the result of the work. While it is more than `maxMs`, the work is repeated, up to
 * twelve times, and the least counts: each try may compile, collect the garbage of others, or share
 * its processor's cache with other programs.
 */
export async function processorTime<T>(
  maxMs: number,
  work: () => T | Promise<T>,
): Promise<{ ms: number; result: T }> {
  let minMs = Infinity;
  for (let triesLeft = maxTries; ; triesLeft -= 1) {
    const yardsticks = [await cost(yardstick), await cost(yardstick), await cost(yardstick)];
    const slowness = Math.min(...yardsticks.map(({ ms }) => ms)) / referenceMs;
    const { ms, result } = await cost(work);
    minMs = Math.min(minMs, ms / slowness);
    if (minMs < maxMs || triesLeft === 1) return { ms: minMs, result };
    await collectGarbage();
  }
}

async function cost<T>(work: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}

/** Known work of the kinds that tests measure: texts, numbers and objects. */
function yardstick(): number {
  const rows = Array.from({ length: 60_000 }, (_, at) => ({
    name: `port ${at}`,
    bytes: at * 7919,
  }));
  return JSON.stringify(rows).match(/port \d+5"/g)?.length ?? 0;
}
