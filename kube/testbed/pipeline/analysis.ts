/** What samples say of a service: pure. */
import type { Sample } from './load.ts';

/** What the service has to do at a rate. */
export interface Objective {
  p99Ms: number;
  /** Of the requests that are sent. */
  answeredShare: number;
}

/** The lowest, the median and the highest value of all rounds. */
export interface Spread {
  low: number;
  median: number;
  high: number;
}

export interface Level {
  rate: number;
  rounds: number;
  achieved: Spread;
  p50Ms: Spread;
  p90Ms: Spread;
  p99Ms: Spread;
  maxMs: Spread;
  /** Requests without an answer, of all that were sent in all rounds. */
  failedShare: number;
  /** In the median round. */
  meetsObjective: boolean;
}

export type Verdict = 'better' | 'worse' | 'same';

export interface Change {
  rate: number;
  before: Spread;
  after: Spread;
  verdict: Verdict;
}

export interface Analysis {
  objective: Objective;
  /** By rate. */
  levels: Level[];
  /** The highest rate up to which every level meets the objective; undefined: the lowest does not. */
  knee?: number;
  /** The most requests that were answered in a second. */
  saturation: number;
  /** p99 against an earlier run, at the rates that both have. */
  changes: Change[];
}

/** A change of a median by less than this is none. */
const leastChange = 0.1;

export function analyse(
  samples: readonly Sample[],
  objective: Objective,
  earlier?: Pick<Analysis, 'levels'>,
): Analysis {
  const levels = [...Map.groupBy(samples, ({ rate }) => rate)]
    .sort(([a], [b]) => a - b)
    .map(([rate, rounds]) => levelOf(rate, rounds, objective));
  const first = levels.findIndex(({ meetsObjective }) => !meetsObjective);
  const knee = levels.at(first === -1 ? -1 : first - 1);
  return {
    objective,
    levels,
    ...(first !== 0 && knee && { knee: knee.rate }),
    saturation: Math.max(0, ...levels.map(({ achieved }) => achieved.median)),
    changes: levels.flatMap(({ rate, p99Ms: after }) => {
      const before = earlier?.levels.find((level) => level.rate === rate)?.p99Ms;
      return before ? [{ rate, before, after, verdict: compare(before, after) }] : [];
    }),
  };
}

/** A service that no longer keeps up: a higher rate would only fill queues. */
export function isSaturated(
  { sent, failed, achieved, rate, latencyMs }: Sample,
  { p99Ms }: Objective,
): boolean {
  return failed > sent / 100 || (achieved < rate * 0.9 && latencyMs.p99 > p99Ms);
}

function levelOf(rate: number, rounds: readonly Sample[], objective: Objective): Level {
  const of = (value: (sample: Sample) => number) => spread(rounds.map(value));
  const share = ({ sent, failed }: Sample) => (sent - failed) / sent;
  const sum = (value: (sample: Sample) => number) =>
    rounds.reduce((total, sample) => total + value(sample), 0);
  const p99Ms = of(({ latencyMs }) => latencyMs.p99);
  return {
    rate,
    rounds: rounds.length,
    achieved: of(({ achieved }) => achieved),
    p50Ms: of(({ latencyMs }) => latencyMs.p50),
    p90Ms: of(({ latencyMs }) => latencyMs.p90),
    p99Ms,
    maxMs: of(({ latencyMs }) => latencyMs.max),
    failedShare: sum(({ failed }) => failed) / sum(({ sent }) => sent),
    meetsObjective: p99Ms.median <= objective.p99Ms && of(share).median >= objective.answeredShare,
  };
}

/** Lower is better. Runs differ only if no round of one is within the rounds of the other. */
function compare(before: Spread, after: Spread): Verdict {
  const isSmall = Math.abs(after.median - before.median) < before.median * leastChange;
  if (isSmall) return 'same';
  if (after.low > before.high) return 'worse';
  return after.high < before.low ? 'better' : 'same';
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? 0;
  return {
    low: at(0),
    median: at(Math.floor((sorted.length - 1) / 2)),
    high: at(sorted.length - 1),
  };
}
