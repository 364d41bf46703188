/** Whether a service has become slower: decided from samples, of random noise and of a real service on a busy computer. */

import { readFile } from 'node:fs/promises';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { analyse } from '../../../../kube/testbed/pipeline/analysis.ts';
import {
  chanceOfRanks,
  compareLevels,
  confirmChanges,
  type Verdict,
} from '../../../../kube/testbed/pipeline/compare.ts';
import type { Sample } from '../../../../kube/testbed/pipeline/load.ts';

const objective = { p99Ms: 250, answeredShare: 0.999 };
const latency = fc.double({ min: 0.5, max: 60, noNaN: true });

/** One level, with a round for each p50. */
function levels(p50s: readonly number[], { failed = 0, late = 0 } = {}) {
  const sampleOf = (p50: number): Sample => ({
    rate: 50,
    achieved: 50,
    sent: 100,
    failed,
    latencyMs: { p10: p50 / 2, p50, p90: p50 * 1.5, p99: p50 * 2, max: p50 * 3 },
    lateMs: { p10: late / 20, p50: late, p99: late },
  });
  return analyse(p50s.map(sampleOf), objective).levels;
}

function verdicts(now: readonly number[], before: readonly (readonly number[])[]) {
  const changes = compareLevels(
    levels(now),
    before.map((each) => levels(each)),
  );
  return Object.fromEntries(changes.map(({ figure, verdict }) => [figure, verdict]));
}

describe('a comparison', () => {
  it.each<[string, number[], Verdict]>([
    ['confirmed', [358, 359, 360], 'worse'],
    ['not confirmed', [1.4, 1.5, 1.6], 'same'],
  ])('shows the figures of the table for a suspect that is %s', (_, twice, verdict) => {
    const once = [46, 47, 48];
    const before = [levels([1.4, 1.5, 1.6])];
    const table = levels([...once, ...twice]);
    const [all, first, again] = [table, levels(once), levels(twice)].map((each) =>
      compareLevels(each, before),
    );

    const changes = confirmChanges(all ?? [], first ?? [], again ?? []);

    const p50 = changes.find(({ figure }) => figure === 'p50');
    expect(p50?.verdict).toBe(verdict);
    expect(p50?.after).toEqual(table[0]?.p50Ms);
  });

  it.each<[string, number[], number[][], Verdict]>([
    ['from 1.5 to 32.5 ms, with one run', [32, 32.5, 33], [[1.4, 1.5, 1.6]], 'worse'],
    ['of 2 ms, with one run', [3.4, 3.5, 3.6], [[1.4, 1.5, 1.6]], 'same'],
    [
      'of 2 ms, with three runs',
      [3.4, 3.5, 3.6],
      [
        [1.4, 1.5, 1.6],
        [1.5, 1.5, 1.7],
        [1.4, 1.6, 1.7],
      ],
      'worse',
    ],
    [
      'of 2 ms, less than runs differ',
      [3.4, 3.5, 3.6],
      [
        [1.4, 1.5, 1.6],
        [2.5, 2.5, 2.7],
        [4.4, 4.6, 4.7],
      ],
      'same',
    ],
    ['in one round of three', [1.5, 1.5, 90], [[1.4, 1.5, 1.6]], 'same'],
    ['to less', [1.4, 1.5, 1.6], [[32, 32.5, 33]], 'better'],
  ])('%s', (_, now, before, verdict) => {
    expect(verdicts(now, before).p50).toBe(verdict);
  });

  it('finds what is no longer answered, and skips a rate that earlier runs could not serve', () => {
    const good = levels([1, 1, 1]);
    const broken = levels([1, 1, 1], { failed: 20 });

    expect(compareLevels(broken, [good])).toContainEqual(
      expect.objectContaining({ figure: 'failed', verdict: 'worse' }),
    );
    expect(compareLevels(levels([90, 90, 90]), [broken])).toEqual([]);
  });

  it('finds nothing that a late sender explains', () => {
    const [before, after] = [levels([1, 1, 1]), [30, 30, 30]];
    const found = [0, 20].map((late) =>
      compareLevels(levels(after, { late }), [before]).map(({ verdict }) => verdict),
    );

    expect(found).toEqual([
      ['worse', 'worse', 'worse', 'same'],
      ['worse', 'same', 'worse', 'same'],
    ]);
  });

  it('depends neither on the order of rounds and runs, nor on one bad run among five', () => {
    const run = fc.array(latency, { minLength: 3, maxLength: 5 });
    const some = fc.array(run, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(run, some, (now, before) => {
        const reversed = before.map((each) => each.toReversed()).toReversed();
        expect(verdicts(now.toReversed(), reversed)).toEqual(verdicts(now, before));
      }),
      runs(200),
    );
    const quiet = fc.array(fc.double({ min: 1.4, max: 1.6, noNaN: true }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(
        fc.array(quiet, { minLength: 4, maxLength: 4 }),
        fc.array(latency, { minLength: 3, maxLength: 3 }),
        (before, bad) => {
          expect(verdicts([11.5, 11.5, 11.6], [...before, bad]).p50).toBe('worse');
        },
      ),
      runs(200),
    );
  });

  it('never finds a run worse than itself, and never two runs worse than each other', () => {
    const run = fc.array(latency, { minLength: 3, maxLength: 5 });
    fc.assert(
      fc.property(run, run, (one, other) => {
        expect(verdicts(one, [one]).p50).toBe('same');
        const both = [verdicts(one, [other]).p50, verdicts(other, [one]).p50];
        expect(both.filter((each) => each === 'worse').length).toBeLessThan(2);
      }),
      runs(200),
    );
  });
});

/** Rounds of a rate: p10, p50, p99, the sender's three, and failures in percent. Sorted, as reports have them. */
const Runs = z.array(z.array(z.tuple([z.number(), z.array(z.array(z.number()))])));
const Recorded = z.object({ same: Runs, slower: Runs });

it('finds at most one of 40 recorded runs of one service worse, and 10 ms more in 20 of 20', async () => {
  const file = new URL('../../testdata/busy-computer.json', import.meta.url);
  const { same, slower } = Recorded.parse(JSON.parse(await readFile(file, 'utf8')));
  const levelsOf = (run: (typeof same)[number]) =>
    analyse(
      run.flatMap(([rate, rounds]) =>
        rounds.map(
          ([p10 = 0, p50 = 0, p99 = 0, late10 = 0, late50 = 0, late99 = 0, failed = 0]) => ({
            rate,
            achieved: rate,
            sent: 100,
            failed,
            latencyMs: { p10, p50, p90: p99, p99, max: p99 },
            lateMs: { p10: late10, p50: late50, p99: late99 },
          }),
        ),
      ),
      objective,
    ).levels;
  const isWorse = (run: (typeof same)[number], before: typeof same) =>
    compareLevels(levelsOf(run), before.slice(-10).map(levelsOf)).some(
      ({ verdict }) => verdict === 'worse',
    );
  const baseline: typeof same = [];
  let worse = 0;
  for (const run of same) {
    if (isWorse(run, baseline)) worse++;
    else baseline.push(run);
  }

  expect(worse).toBeLessThanOrEqual(1);
  // Recorded while other tests kept two processors busy. Later, half of the requests waited for 20 ms and more.
  const quiet = baseline.slice(0, 10);
  expect(slower.filter((run) => isWorse(run, quiet))).toHaveLength(slower.length);
});

it.each([
  { low: [1, 2, 3], high: [4, 5, 6], chance: 1 / 20 },
  { low: [4, 5, 6], high: [1, 2, 3], chance: 1 },
  // Table of Mann and Whitney (1947): U = 2 of 3 and 4 values has the one-sided chance 4/35.
  { low: [1, 2, 3, 5], high: [4, 6, 7], chance: 2 / 35 },
  { low: [1, 2, 5, 6], high: [3, 7, 8], chance: 4 / 35 },
  { low: [1, 1, 1], high: [1, 1, 1], chance: 13 / 20 },
])('the rank-sum test of $low and $high is $chance', ({ low, high, chance }) => {
  expect(chanceOfRanks(low, high)).toBeCloseTo(chance, 10);
});
