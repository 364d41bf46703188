import { describe, expect, it } from 'vitest';
import { mebibytes, memoryOf, peakMemory, residentMemory } from './memory.ts';

describe('memory of a process', () => {
  it('is read from /proc', () => {
    const own = process.memoryUsage.rss() / 2 ** 20;

    const resident = residentMemory(process.pid);

    // The two readings are not of the same moment.
    expect(resident).toBeGreaterThan(own / 2);
    expect(resident).toBeLessThan(own * 2);
    expect(peakMemory(process.pid)).toBeGreaterThanOrEqual(resident);
    const { figure, against: { proportional = 0 } = {} } = memoryOf(process.pid);
    expect(proportional).toBeGreaterThan(figure / 10);
    expect(proportional).toBeLessThanOrEqual(figure * 1.1);
  });

  it('is in MiB', () => {
    expect(mebibytes('Name:\tnode\nVmRSS:\t   68608 kB\nThreads:\t1\n', 'VmRSS')).toBe(67);
  });

  it('of a missing process is an error', () => {
    expect(() => residentMemory(2 ** 30)).toThrow('ENOENT');
    expect(() => mebibytes('Name:\tkthreadd\n', 'VmRSS')).toThrow('no VmRSS in:');
  });
});
