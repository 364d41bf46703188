/** The power cycles that people requested in this shift, as rows of the timeline. Pure. */
import type { CycleRequest, PowerCycle } from '@skolo/api';
import { given } from '../join/machine.ts';
import { cycleOf } from './from-services.ts';
import { mergeEvents } from './merge.ts';

/** A shift: after this time, nobody waits for the end of a power cycle any more. */
const shownMs = 12 * 3_600_000;
const mostRequests = 20;

/** Newest first. @param now milliseconds since 1970 */
export function cycleRequests(cycles: Iterable<PowerCycle>, now: number): CycleRequest[] {
  const recent = [...cycles].filter(
    ({ origin, requestedAt }) => origin === 'person' && now - Date.parse(requestedAt) < shownMs,
  );
  const requests = [...Map.groupBy(recent, ({ by }) => by)].flatMap(([by, own]) =>
    mergeEvents(own.map(cycleOf), mostRequests).rows.map(
      ({ at, endedAt, text, where, details }) => ({
        at,
        by,
        text,
        where,
        failed: details.length,
        ...given({ endedAt }),
      }),
    ),
  );
  return requests.sort((a, b) => b.at.localeCompare(a.at)).slice(0, mostRequests);
}
