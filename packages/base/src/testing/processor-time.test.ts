import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { processorTime } from './processor-time.ts';

/** Work whose cost is proportional to `rounds`. */
function work(rounds: number): number {
  let sum = 0;
  for (let at = 0; at < rounds * 1_000_000; at += 1) sum = (sum * 31 + at) % 65_521;
  return sum;
}

/** Simulates a computer on which everything takes `slowness` times as much processor time. */
function simulateComputer(slowness: number): void {
  const cpuUsage = process.cpuUsage.bind(process);
  vi.spyOn(process, 'cpuUsage').mockImplementation((before = { user: 0, system: 0 }) => {
    const { user, system } = cpuUsage();
    return { user: user * slowness - before.user, system: system * slowness - before.system };
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

describe('processorTime', () => {
  it('returns the result, and time in proportion to the work', async () => {
    const short = await processorTime(500, () => work(20));
    const long = await processorTime(500, () => work(60));

    expect(short.result).toBe(work(20));
    expect(long.ms / short.ms).toBeGreaterThan(1.5);
    expect(long.ms / short.ms).toBeLessThan(6);
  });

  it('accepts cheap work, and rejects costly work, on a computer that is 20 times as slow', async () => {
    simulateComputer(20);

    const cheap = await processorTime(25, () => work(1));
    const costly = await processorTime(25, () => work(20));

    expect(cheap.ms).toBeLessThan(25);
    expect(costly.ms).toBeGreaterThan(25);
  });

  it('counts the processor time of asynchronous work, and not how long it waits', async () => {
    const { ms } = await processorTime(50, async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return work(3);
    });

    expect(ms).toBeGreaterThan(3);
    expect(ms).toBeLessThan(50);
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
