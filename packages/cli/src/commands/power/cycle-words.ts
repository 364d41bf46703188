/** What a cycle is called in words, and how it looks. */
import type { Outcome, PowerCycle } from '@skolo/api';
import type { Style } from '../../output/text.ts';
import { duration } from '../../output/time.ts';

/** Whether nothing more happens to it. What is stuck off is still tried, but nobody should wait for it. */
export function isOver({ outcome }: Pick<PowerCycle, 'outcome'>): boolean {
  return outcome !== undefined;
}

export const goodOutcomes = ['back', 'on', 'off'] as const satisfies readonly Outcome[];

export function isGood({ outcome }: Pick<PowerCycle, 'outcome'>): boolean {
  return goodOutcomes.some((each) => each === outcome);
}

/** `back`, `failed`, `stuck off`; while it goes on, the step. */
export function stateWord({ outcome, step }: Pick<PowerCycle, 'outcome' | 'step'>): string {
  return outcome === undefined ? step : outcomeWord(outcome);
}

export function outcomeWord(outcome: Outcome): string {
  return outcome.replaceAll('-', ' ');
}

/** Nothing where it is under way, as most are whenever one looks. */
export function stateStyle(cycle: Pick<PowerCycle, 'outcome' | 'step'>): Style | undefined {
  switch (cycle.outcome) {
    case undefined:
      return cycle.step === 'queued' ? 'dim' : undefined;
    case 'failed':
    case 'stuck-off':
      return 'red';
    case 'busy':
    case 'cancelled':
      return 'yellow';
    default:
      return 'green';
  }
}

/** What follows the outcome: `at turn-off, after 12 s: switch-1/4 still reads on`. */
export function endWords(cycle: PowerCycle): string {
  const { failedStep, detail } = cycle;
  const took = tookSeconds(cycle);
  const where = [
    ...(failedStep === undefined ? [] : [`at ${failedStep}`]),
    ...(took === undefined ? [] : [`after ${duration(took)}`]),
  ].join(', ');
  return [where, detail].filter((part) => part !== undefined && part !== '').join(': ');
}

/** From its begin, or where it never began from when it was asked for. */
export function tookSeconds({
  requestedAt,
  startedAt,
  finishedAt,
}: PowerCycle): number | undefined {
  if (finishedAt === undefined) return undefined;
  return (Date.parse(finishedAt) - Date.parse(startedAt ?? requestedAt)) / 1000;
}

/** Since when it is at its present step; milliseconds since 1970. */
export function stepSince({ step, steps, startedAt, requestedAt }: PowerCycle): number {
  const other = steps.findLastIndex((record) => record.step !== step);
  const first = steps[other + 1] ?? steps[other];
  return Date.parse(first?.at ?? startedAt ?? requestedAt);
}

/** The last thing that was said of it. Not its place in the queue, which changes without anybody saying so. */
export function lastWords({ detail, steps }: PowerCycle): string {
  return detail ?? steps.at(-1)?.text ?? '';
}
