/**
 * Whether a service has become slower, compared with several earlier runs: pure. Two things look alike in one run, a slower service
 * and a busy computer. So a rate is worse only if its latency leaves the range in which earlier runs varied, if chance does not
 * explain that, and if it does so again when the rate is measured once more.
 */

/** The lowest, the median and the highest value of several rounds, or of the medians of several runs. */
export interface Spread {
  low: number;
  median: number;
  high: number;
  /** All of them, in ascending order. */
  values: number[];
}

/** A rate, measured in several rounds. */
export interface Level {
  rate: number;
  rounds: number;
  achieved: Spread;
  p10Ms: Spread;
  p50Ms: Spread;
  p90Ms: Spread;
  p99Ms: Spread;
  maxMs: Spread;
  lateP10Ms: Spread;
  lateP50Ms: Spread;
  lateP99Ms: Spread;
  /** Requests without an answer, of those that were sent. */
  failedPercent: Spread;
  /** In the median round. */
  meetsObjective: boolean;
}

interface Figure {
  unit: 'ms' | '%';
  of(level: Level): Spread;
  /** What the sender adds to it. */
  senders(level: Level): Spread | undefined;
  /** In its unit: less is no change. */
  leastChange: number;
  /** Of the smaller value. */
  leastShare: number;
}

/** What is compared at each rate. Lower is better. */
const figures: Record<Change['figure'], Figure> = {
  // A busy computer delays most requests, and a slower service delays all of them.
  p10: {
    unit: 'ms',
    leastChange: 1,
    leastShare: 0.15,
    of: ({ p10Ms }) => p10Ms,
    senders: ({ lateP10Ms }) => lateP10Ms,
  },
  p50: {
    unit: 'ms',
    leastChange: 1,
    leastShare: 0.15,
    of: ({ p50Ms }) => p50Ms,
    senders: ({ lateP50Ms }) => lateP50Ms,
  },
  // A hundredth of the requests decides it, so it varies more.
  p99: {
    unit: 'ms',
    leastChange: 5,
    leastShare: 0.5,
    of: ({ p99Ms }) => p99Ms,
    senders: ({ lateP99Ms }) => lateP99Ms,
  },
  failed: {
    unit: '%',
    leastChange: 1,
    leastShare: 0.5,
    of: ({ failedPercent }) => failedPercent,
    senders: () => undefined,
  },
};

export type Verdict = 'better' | 'worse' | 'same';

export interface Change {
  rate: number;
  figure: 'p10' | 'p50' | 'p99' | 'failed';
  unit: Figure['unit'];
  before: Spread;
  after: Spread;
  verdict: Verdict;
}

/** With fewer runs nobody knows how much they vary: then a change counts only if it is much larger. */
export const enoughRuns = 3;
const factorOfFewRuns = 4;
/** Earlier ones are of another service, network and computer. */
export const mostRuns = 10;
/** Three standard deviations of a normal distribution, as a multiple of the median absolute deviation. */
const mostDeviations = 3 * 1.4826;
/** The service on a busy computer waits as the sender does, on its way there and on its way back. */
const mostOfSender = 2;
/** That chance puts the rounds of a run so far above earlier ones. A suspect is measured twice, so it is squared. */
const mostChance = 0.05;

/** @param earlier each run's levels; rates that no run has, or that most runs could not serve, are not compared */
export function compareLevels(
  levels: readonly Level[],
  earlier: readonly (readonly Level[])[],
): Change[] {
  return levels.flatMap((after) => {
    const before = earlier.flatMap((run) => run.find(({ rate }) => rate === after.rate) ?? []);
    const met = before.filter(({ meetsObjective }) => meetsObjective);
    // Beyond its limit a service only fills queues, and latencies say nothing.
    if (met.length === 0 || met.length * 2 <= before.length) return [];
    return (Object.keys(figures) as Change['figure'][]).map((figure): Change => {
      const { of, unit } = figures[figure];
      return {
        rate: after.rate,
        figure,
        unit,
        after: of(after),
        before: spread(met.map((level) => of(level).median)),
        verdict: judge(figures[figure], after, met),
      };
    });
  });
}

/**
 * The verdicts of two measurements with the figures of all their rounds, which the report's table shows. A figure is worse only if it is
 * in both.
 *
 * @param all the changes of all rounds
 * @param again those of the rates that were measured twice
 */
export function confirmChanges(
  all: readonly Change[],
  first: readonly Change[],
  again: readonly Change[],
): Change[] {
  return all.map((change) => {
    const [once, twice] = [first, again].map((changes) =>
      changes.find(({ rate, figure }) => rate === change.rate && figure === change.figure),
    );
    const decisive = once?.verdict === 'worse' ? twice : once;
    return { ...change, verdict: decisive?.verdict ?? 'same' };
  });
}

function judge(
  { of, senders, leastChange, leastShare }: Figure,
  level: Level,
  earlier: readonly Level[],
): Verdict {
  const runs = earlier.map(of).sort((a, b) => a.median - b.median);
  const before = spread(runs.map(({ median }) => median));
  const after = of(level);
  // One bad run among five is none, in either direction.
  const unusual = Math.floor(runs.length / 5);
  const usual = runs.slice(unusual, runs.length - unusual);
  const rounds = usual.flatMap(({ values }) => values);
  const factor = earlier.length < enoughRuns ? factorOfFewRuns : 1;
  const least = Math.max(
    factor * Math.max(leastChange, leastShare * Math.min(before.median, after.median)),
    Math.max(deviation(before.values), deviation(rounds)) * mostDeviations,
    mostOfSender * (senders(level)?.median ?? 0),
  );
  // What else runs only adds to a latency, so the best round is nearest to the service.
  const isWorse = after.low - (usual.at(-1)?.median ?? 0) > least;
  const isBetter = (usual[0]?.median ?? 0) - after.high > least;
  if (!isWorse && !isBetter) return 'same';
  const [low, high] = isWorse ? [rounds, after.values] : [after.values, rounds];
  if (chanceOfRanks(low, high) > mostChance) return 'same';
  return isWorse ? 'worse' : 'better';
}

/** Median absolute deviation: one bad run among several does not change it. */
function deviation(values: readonly number[]): number {
  const { median } = spread(values);
  return spread(values.map((value) => Math.abs(value - median))).median;
}

/**
 * Rank-sum test of Mann and Whitney, one-sided and exact: how probable it is that values of one distribution fall so that those of
 * `high` are above those of `low` at least as often. A tie counts as half, rounded against a change.
 */
export function chanceOfRanks(low: readonly number[], high: readonly number[]): number {
  const seen = low.reduce(
    (sum, a) => sum + high.reduce((count, b) => count + (b > a ? 1 : b === a ? 0.5 : 0), 0),
    0,
  );
  // Ways to place the values of `high` with a sum of wins: each value in turn has 0 to low.length wins, not fewer than the one before.
  let ways: number[][] = Array.from({ length: high.length + 1 }, (_, count) => [
    count === 0 ? 1 : 0,
  ]);
  for (let wins = 0; wins <= low.length; wins++) {
    const next = ways.map((each) => [...each]);
    for (let count = 1; count <= high.length; count++) {
      for (const [sum, number] of (next[count - 1] ?? []).entries()) {
        const row = next[count] as number[];
        if (number > 0) row[sum + wins] = (row[sum + wins] ?? 0) + number;
      }
    }
    ways = next;
  }
  const all = Array.from(ways[high.length] ?? [], (number) => number ?? 0);
  const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);
  return sumOf(all.slice(Math.floor(seen))) / sumOf(all);
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? 0;
  return {
    low: at(0),
    high: at(sorted.length - 1),
    values: sorted,
    median: at(Math.floor((sorted.length - 1) / 2)),
  };
}
