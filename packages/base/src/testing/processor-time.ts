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
const text = 'port 12 is up, vlan 4094 untagged\n'.repeat(9000);
const prime = 2n ** 521n - 1n;

/**
 * Returns the processor time of this process during the work, in milliseconds of the reference
 * computer, with the result of the work. While it is more than `maxMs`, the work is repeated, up to
 * twelve times, and the least counts: each try may compile, collect the garbage of others, or share
 * its processor's cache with other programs. Far below `maxMs`, the time is that of this computer.
 */
export async function processorTime<T>(
  maxMs: number,
  work: () => T | Promise<T>,
): Promise<{ ms: number; result: T }> {
  let minMs = Infinity;
  for (let triesLeft = maxTries; ; triesLeft -= 1) {
    const { ms, result } = await cost(work);
    // No computer is ten times as fast as the reference.
    if (ms < maxMs / 10) return { ms, result };
    minMs = Math.min(minMs, ms / (await slowness()));
    if (minMs < maxMs || triesLeft === 1) return { ms: minMs, result };
    await collectGarbage();
  }
}

/**
 * Returns how much more processor time work needs in this process at the moment than on the
 * reference computer: for tests that measure parts of their work themselves.
 */
export async function slowness(): Promise<number> {
  const costs = [await cost(yardstick), await cost(yardstick), await cost(yardstick)];
  return Math.min(...costs.map(({ ms }) => ms)) / referenceMs;
}

async function cost<T>(work: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}

/**
 * Known work of the kinds that tests measure: patterns, texts and large numbers. It leaves little
 * garbage, because collections vary: they would more than double its cost at times.
 */
function yardstick(): number {
  let sum = 0;
  for (const line of text.matchAll(/(\d+) is \w+, vlan \d* tagged|untagged$/gm)) sum += line.index;
  for (let at = 0; at < text.length; at += 1) sum = (sum * 31 + text.charCodeAt(at)) % 65_521;
  let square = 3n;
  for (let round = 0; round < 3000; round += 1) square = (square * square + 1n) % prime;
  return sum + Number(square % 7n);
}
