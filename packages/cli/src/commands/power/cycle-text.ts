/** Texts and styles of cycles. */
import type { Outcome, PowerCycle } from '@skolo/api';
import type { Style } from '../../output/text.ts';
import { duration } from '../../output/time.ts';

/** Also true for a cycle that is stuck off: the service still retries it, but waiting for it is pointless. */
export function isOver({ outcome }: Pick<PowerCycle, 'outcome'>): boolean {
  return outcome !== undefined;
}

export const goodOutcomes = ['back', 'on', 'off', 'unproven'] as const satisfies readonly Outcome[];

export function isGood({ outcome }: Pick<PowerCycle, 'outcome'>): boolean {
  return goodOutcomes.some((each) => each === outcome);
}

/** `back`, `failed`, `stuck off`; the step while the cycle runs. */
export function stateText({ outcome, step }: Pick<PowerCycle, 'outcome' | 'step'>): string {
  return outcome === undefined ? step : outcomeText(outcome);
}

export function outcomeText(outcome: Outcome): string {
  return outcome === 'would-have' ? 'would have cycled' : outcome.replaceAll('-', ' ');
}

/** Undefined while the cycle is running. */
export function stateStyle(cycle: Pick<PowerCycle, 'outcome' | 'step'>): Style | undefined {
  if (cycle.outcome === undefined) return cycle.step === 'queued' ? 'dim' : undefined;
  return problemStyles[cycle.outcome] ?? 'green';
}

const problemStyles: { [Name in Outcome]?: Style } = {
  failed: 'red',
  inverted: 'red',
  'stuck-off': 'red',
  unproven: 'yellow',
  busy: 'yellow',
  cancelled: 'yellow',
  'would-have': 'yellow',
};

/** Follows the outcome: `at turn-off, after 12 s: switch-1/4 still reads on`. */
export function endText(cycle: PowerCycle): string {
  const { failedStep, detail } = cycle;
  const took = tookSeconds(cycle);
  const where = [
    ...(failedStep === undefined ? [] : [`at ${failedStep}`]),
    ...(took === undefined ? [] : [`after ${duration(took)}`]),
  ].join(', ');
  return [where, detail].filter(Boolean).join(': ');
}

/** Since the start, or since the request if the cycle never started. */
export function tookSeconds({
  requestedAt,
  startedAt,
  finishedAt,
}: PowerCycle): number | undefined {
  if (finishedAt === undefined) return undefined;
  return (Date.parse(finishedAt) - Date.parse(startedAt ?? requestedAt)) / 1000;
}

/** Start of the current step; milliseconds since 1970. */
export function stepSince({ step, steps, startedAt, requestedAt }: PowerCycle): number {
  const other = steps.findLastIndex((record) => record.step !== step);
  const first = steps[other + 1] ?? steps[other];
  return Date.parse(first?.at ?? startedAt ?? requestedAt);
}

/** The newest detail. Excludes the position in the queue, for which the service sends no events. */
export function latestText({ detail, steps }: PowerCycle): string {
  return detail ?? steps.at(-1)?.text ?? '';
}
