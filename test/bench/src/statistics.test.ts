import { describe, expect, it } from 'vitest';
import { median, percentile } from './statistics.ts';

describe('percentile', () => {
  const tenToOne = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

  it.each([
    [0, 1],
    [10, 1],
    [11, 2],
    [50, 5],
    [90, 9],
    [99, 10],
    [100, 10],
  ])('%d %% of one to ten', (percent, expected) => {
    expect(percentile(tenToOne, percent)).toBe(expected);
  });

  it('does not change the samples', () => {
    const samples = [3, 1, 2];

    percentile(samples, 50);
    median(samples);

    expect(samples).toEqual([3, 1, 2]);
  });

  it('of nothing is no number', () => {
    expect(percentile([], 50)).toBeNaN();
    expect(median([])).toBeNaN();
  });
});

describe('median', () => {
  it.each([
    [[7], 7],
    [[9, 1], 5],
    [[100, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (samples, expected) => {
    expect(median(samples)).toBe(expected);
  });
});
