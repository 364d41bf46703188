import { comparison } from './comparison.ts';
import { median } from './statistics.ts';

/**
 * Measures several things in turn, A B A B, and gives the median of each: what else happens on the machine hurts
 * all alike. A first round is thrown away: compilers are not warm before.
 */
export async function inRounds<Name extends string>(
  rounds: number,
  measures: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number>> {
  const samples = new Map<string, number[]>();
  // Compared with a commit instead, which is a process of its own each time.
  const of = Object.entries<() => Promise<number>>(measures).filter(
    ([name]) => !comparison.isAlone || name === 'figure',
  );
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of of) {
      const sample = await measure();
      if (round > 0) samples.set(name, [...(samples.get(name) ?? []), sample]);
    }
  }
  const medians = [...samples].map(([name, values]) => [name, median(values)]);
  return Object.fromEntries(medians) as Record<Name, number>;
}
