import { describe, expect, it } from 'vitest';
import { BatchSize, deadlineMs } from './batches.ts';

function sized() {
  let now = 0;
  const size = new BatchSize(() => now);
  const pass = (ms: number) => {
    now += ms;
  };
  return { size, pass };
}

describe('a request of many variables', () => {
  it.each([
    [1, 5000],
    [2, 5000],
    [4, 5000],
    [8, 6500],
    [16, 9500],
  ])('of %i has %i ms', (variables, ms) => {
    expect(deadlineMs(variables)).toBe(ms);
  });

  it('is smaller after it was late, down to one', () => {
    const { size } = sized();
    const sizes = [size.current];
    for (let times = 0; times < 3; times += 1) {
      size.late(size.current);
      sizes.push(size.current);
    }

    expect(sizes).toEqual([16, 4, 1, 1]);
  });

  it('is half as large after tooBig', () => {
    const { size } = sized();
    size.tooBig(16);
    size.tooBig(5);

    expect(size.current).toBe(2);
  });

  it('grows again after ten minutes without a failure', () => {
    const { size, pass } = sized();
    size.late(16);
    const sizes: number[] = [];
    for (const ms of [600_000, 1, 600_001, 600_001, 600_001]) {
      pass(ms);
      sizes.push(size.current);
    }

    expect(sizes).toEqual([4, 8, 16, 16, 16]);
  });
});
