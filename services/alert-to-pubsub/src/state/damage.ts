/** Reports what the spool has lost, in status and `/readyz`, for a day. */
import { count } from '@skolo/base';
import type { Clock, Degraded } from '@skolo/common';
import type { AlertEvent } from '../events.ts';
import type { Opened } from './store.ts';

type DamageEvent = Extract<AlertEvent, { type: 'spool-damaged' | 'known-alerts-lost' }>;

/** As long as the alert AlertsSpoolDamaged. In seconds. */
const reportedFor = 86_400;

export class Damage {
  private readonly deps: { location(): string; clock: Clock };
  private last: (Degraded & { uptime: number }) | undefined;

  constructor(deps: Damage['deps']) {
    this.deps = deps;
  }

  /** Damage found in the last day. */
  get current(): Degraded | undefined {
    const { last, deps } = this;
    if (last === undefined || deps.clock.uptime() - last.uptime > reportedFor) return undefined;
    const { what, why, since } = last;
    return { what, why, since };
  }

  note(event: DamageEvent): void {
    const { clock, location } = this.deps;
    const since = this.current?.since ?? new Date(clock.now());
    const text = damageText(event, location());
    // Operators find these files by their suffix.
    const files = '; the damaged bytes were saved to *.damaged files in the spool directory';
    const why = event.type === 'spool-damaged' && event.lines > 0 ? text + files : text;
    this.last = { what: 'spool damage', why, since, uptime: clock.uptime() };
  }
}

/** The damage found when the spool was opened. */
export function damageAtStart(
  { spool: { damage }, unreadable, cut, isSnapshotLost }: Opened,
  known: number,
): DamageEvent[] {
  const events: DamageEvent[] = [];
  const lost = (damage?.missing ?? 0) + unreadable + cut;
  const lines = damage?.lines ?? 0;
  if (damage !== undefined || lost > 0) {
    const records = Math.max(lost, lines);
    events.push({ type: 'spool-damaged', records, lost, lines, isInUse: false });
  }
  if (isSnapshotLost) events.push({ type: 'known-alerts-lost', known });
  return events;
}

export function damageText(event: DamageEvent, location: string): string {
  if (event.type === 'known-alerts-lost') {
    return `the list of known alerts at ${location} was lost; restored from the spool: ${event.known}. Other alerts are added again when they are received`;
  }
  const when = event.isInUse ? ' while in use' : '';
  return `the spool at ${location} was damaged${when}: ${count(event.lost, 'message')} lost; firing alerts are sent again`;
}
