/**
 * When the power of each target was cut, in seconds since boot: limits count by a clock that does not jump. Of cuts from
 * before this process only the wall time is known; one that lies in the future counts as just now.
 */
import type { Clock } from '@skolo/common';
import { formatOutlet } from '@skolo/rack';
import type { Target } from '../request/targets.ts';
import { type CycleRecord, feedKey } from '../state/records.ts';
import type { Snapshot } from './preconditions.ts';

/** A cycle, or an off with the on that ended it. Seconds since boot, which no wall clock can turn back. */
export interface PastCycle {
  target: string;
  /** The relays that it moved: `pdu-1/4`. */
  outlets: readonly string[];
  begunAt: number;
  /** Absent: under way. */
  endedAt?: number;
}

interface Cut extends PastCycle {
  /** Turned off, and not turned on again yet: the on belongs to the same cut. */
  isOff: boolean;
}

const hour = 3600;
const rememberedSeconds = 86_400;

export class PastCycles {
  private readonly clock: Clock;
  private readonly known = new Map<string, Cut>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Of the journal, at the start. */
  load(records: Iterable<CycleRecord>): void {
    for (const record of [...records].sort((a, b) => a.number - b.number)) {
      const begunAt = this.ago(record.startedAt ?? record.requestedAt);
      this.add(
        record,
        begunAt,
        record.finishedAt === undefined ? begunAt : this.ago(record.finishedAt),
      );
    }
  }

  /** A cycle has changed. */
  note(record: CycleRecord): void {
    const uptime = this.clock.uptime();
    this.add(record, uptime, uptime);
  }

  list(): PastCycle[] {
    const oldest = this.clock.uptime() - rememberedSeconds;
    for (const [id, { endedAt, isOff }] of this.known) {
      if (endedAt !== undefined && endedAt < oldest && !isOff) this.known.delete(id);
    }
    return [...this.known.values()];
  }

  private add(record: CycleRecord, begunAt: number, endedAt: number): void {
    const { id, target, action, feeds, begun, phase, outcome } = record;
    if (!begun) return;
    const outlets = feeds.map(feedKey);
    const isFinished = phase === 'finished';
    const off = [...this.known.entries()].filter(
      ([other, cut]) =>
        cut.isOff && other !== id && cut.outlets.some((each) => outlets.includes(each)),
    );
    if (action === 'on') {
      if (isFinished) for (const [, cut] of off) Object.assign(cut, { isOff: false, endedAt });
      return;
    }
    // Off already: no relay moves.
    if (action === 'off' && off.length > 0) return;
    const cut = this.known.get(id) ?? { target, outlets, begunAt, isOff: false };
    if (isFinished) {
      cut.endedAt ??= endedAt;
      cut.isOff = outcome === 'off';
    }
    this.known.set(id, cut);
  }

  private ago(time: string): number {
    return this.clock.uptime() - Math.max(0, this.clock.now() - Date.parse(time)) / 1000;
  }
}

/** Seconds until the power of a target may be cut again, by the limits for one machine. */
export function waitFor(
  { name, feeds }: Pick<Target, 'name' | 'feeds'>,
  { rack, uptime, past }: Pick<Snapshot, 'rack' | 'uptime' | 'past'>,
): { wait: number; why: 'cooldown' | 'per-hour' } {
  const { cooldownSeconds, maxPerHour } = rack.services['power-cycle-daemon'];
  const relays = new Set(feeds.map(formatOutlet));
  const own = past.filter(
    ({ target, outlets }) => target === name || outlets.some((outlet) => relays.has(outlet)),
  );
  const ends = own.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt]));
  const cooldown = ends.length === 0 ? 0 : Math.max(...ends) + cooldownSeconds - uptime;
  const begun = own.map(({ begunAt }) => begunAt).sort((a, b) => b - a);
  // The one that has to be an hour old before there may be another.
  const oldest = begun[maxPerHour - 1];
  const perHour = oldest === undefined ? 0 : oldest + hour - uptime;
  return perHour > cooldown
    ? { wait: perHour, why: 'per-hour' }
    : { wait: cooldown, why: 'cooldown' };
}
