/** Records as the daemon writes them. */
import type { CycleRecord } from '../state/records.ts';

/** A newly requested cycle of machine `a`. */
export function cycleRecord(own: Partial<CycleRecord> = {}): CycleRecord {
  return {
    id: 'cycle-1',
    number: 1,
    batch: 1,
    target: 'a',
    action: 'cycle',
    mode: 'auto',
    feeds: [{ controller: 'switch-1', outlet: '1' }],
    nativeOnly: false,
    offSecondsGiven: false,
    offSeconds: 5,
    reason: 'dead',
    by: 'ann',
    origin: 'person',
    force: false,
    requestedAt: '2026-11-20T12:00:00.000Z',
    phase: 'queued',
    begun: false,
    attempt: 0,
    sawOff: false,
    sawDown: false,
    interrupted: false,
    unwatched: false,
    steps: [],
    ...own,
  };
}
