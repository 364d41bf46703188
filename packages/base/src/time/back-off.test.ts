import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../testing/index.ts';
import { backOffMs } from './back-off.ts';

describe('backOffMs', () => {
  it('doubles up to the cap', () => {
    const waits = [1, 2, 3, 4, 5].map((failures) =>
      backOffMs(failures, { firstMs: 100, maxMs: 1000, random: () => 0 }),
    );

    expect(waits).toEqual([100, 200, 400, 800, 1000]);
  });

  it('takes the jitter off the wait, never on top of it', () => {
    const wait = { firstMs: 100, maxMs: 1000 };

    expect(backOffMs(1, { ...wait, random: () => 0 })).toBe(100);
    expect(backOffMs(1, { ...wait, random: () => 0.5 })).toBe(75);
  });

  it('stays between its limits, however many failures', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 10_000, max: 86_400_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, firstMs, maxMs, chance) => {
          const wait = backOffMs(failures, { firstMs, maxMs, random: () => chance });
          const next = backOffMs(failures + 1, { firstMs, maxMs, random: () => chance });

          expect(wait).toBeGreaterThanOrEqual(firstMs * 0.5);
          expect(wait).toBeLessThanOrEqual(maxMs);
          expect(next).toBeGreaterThanOrEqual(wait);
        },
      ),
      runs(500),
    );
  });
});
