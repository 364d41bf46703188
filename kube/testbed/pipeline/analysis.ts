/** What samples say of a service: pure. */
import { type Level, spread } from './compare.ts';
import type { Sample } from './load.ts';

/** What the service has to do at a rate. */
export interface Objective {
  p99Ms: number;
  /** Of the requests that are sent. */
  answeredShare: number;
}

export interface Analysis {
  objective: Objective;
  /** By rate. */
  levels: Level[];
  /** The highest rate up to which every level meets the objective; undefined: the lowest does not. */
  knee?: number;
  /** The most requests that were answered in a second. */
  saturation: number;
}

export function analyse(samples: readonly Sample[], objective: Objective): Analysis {
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
  const failedPercent = of(({ sent, failed }) => (100 * failed) / sent);
  const p99Ms = of(({ latencyMs }) => latencyMs.p99);
  return {
    rate,
    rounds: rounds.length,
    achieved: of(({ achieved }) => achieved),
    p10Ms: of(({ latencyMs }) => latencyMs.p10),
    p50Ms: of(({ latencyMs }) => latencyMs.p50),
    p90Ms: of(({ latencyMs }) => latencyMs.p90),
    p99Ms,
    maxMs: of(({ latencyMs }) => latencyMs.max),
    lateP10Ms: of(({ lateMs }) => lateMs.p10),
    lateP50Ms: of(({ lateMs }) => lateMs.p50),
    lateP99Ms: of(({ lateMs }) => lateMs.p99),
    failedPercent,
    meetsObjective:
      p99Ms.median <= objective.p99Ms &&
      failedPercent.median <= 100 * (1 - objective.answeredShare),
  };
}
