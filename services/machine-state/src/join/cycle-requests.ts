/** Power cycles as people requested them: one entry for all targets of a request. Pure. */
import type { CycleRequest, PowerCycle } from '@skolo/api';

/** A shift: after this time, nobody waits for the end any more. */
const shownMs = 12 * 3_600_000;
const mostShown = 20;
/** Between the cycles of one request. */
const togetherMs = 1000;

/** Newest first. @param now milliseconds since 1970 */
export function cycleRequests(cycles: Iterable<PowerCycle>, now: number): CycleRequest[] {
  const byTime = [...cycles]
    .filter(({ origin, requestedAt }) => {
      return origin === 'person' && now - Date.parse(requestedAt) < shownMs;
    })
    .sort((a, b) => a.requestedAt.localeCompare(b.requestedAt));
  const requests: PowerCycle[][] = [];
  for (const cycle of byTime) {
    const same = requests.findLast(([first]) => first && isTogether(first, cycle));
    if (same) same.push(cycle);
    else requests.push([cycle]);
  }
  return requests.slice(-mostShown).reverse().flatMap(summaryOf);
}

function isTogether(one: PowerCycle, other: PowerCycle): boolean {
  const apartMs = Date.parse(other.requestedAt) - Date.parse(one.requestedAt);
  return (
    apartMs < togetherMs &&
    one.by === other.by &&
    one.reason === other.reason &&
    one.action === other.action
  );
}

function summaryOf(cycles: readonly PowerCycle[]): CycleRequest[] {
  const [first] = cycles;
  if (first === undefined) return [];
  const { id, action, by, reason, requestedAt } = first;
  const ended = cycles.flatMap(({ outcome }) => outcome ?? []);
  const outcomes = Map.groupBy(ended, (outcome) => outcome);
  return [
    {
      id,
      action,
      by,
      reason,
      requestedAt,
      ...(cycles.length === 1 && { target: first.target }),
      targets: cycles.length,
      running: cycles.length - ended.length,
      ended: [...outcomes].map(([outcome, all]) => ({ outcome, targets: all.length })),
    },
  ];
}
