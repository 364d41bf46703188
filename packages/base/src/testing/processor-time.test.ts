import { describe, expect, it } from 'vitest';
import { processorTime } from './processor-time.ts';

/** Work whose cost is proportional to `rounds`. */
function work(rounds: number): number {
  let sum = 0;
  for (let at = 0; at < rounds * 1_000_000; at += 1) sum = (sum * 31 + at) % 65_521;
  return sum;
}

describe('processorTime', () => {
  it('returns the result, and more time for more work', async () => {
    const short = await processorTime(0, () => work(0.5));
    const long = await processorTime(0, () => work(5));

    expect(short.result).toBe(work(0.5));
    expect(long.ms).toBeGreaterThan(3 * short.ms);
  });

  it('does not count time that the work waits', async () => {
    const { ms } = await processorTime(
      100,
      () => new Promise((resolve) => setTimeout(resolve, 400)),
    );

    expect(ms).toBeLessThan(100);
  });

  it('repeats work that is cheap only later, such as after it was compiled', async () => {
    let tries = 0;
    const { ms } = await processorTime(10, () => {
      tries += 1;
      return work(tries < 3 ? 30 : 0.1);
    });

    expect(tries).toBe(3);
    expect(ms).toBeLessThan(10);
  });
});
