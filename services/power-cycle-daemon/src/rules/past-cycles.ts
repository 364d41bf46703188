/** When the power of each target was cut, in seconds since boot: limits count by a clock that does not jump. */
import type { Clock } from '@skolo/common';
import { formatOutlet, type Rack } from '@skolo/rack';
import type { PowerEvent } from '../events.ts';
import { type CycleRecord, feedKey } from '../state/records.ts';
import { whyObserved } from './observed.ts';
import type { Target } from './targets.ts';
import { uptimeAt } from './uptime-at.ts';

/** A cycle, or an off with the on that ended it. Seconds since boot, which no wall clock can turn back. */
export interface PastCycle {
  target: string;
  /** The relays that it moved: `pdu-1/4`. */
  outlets: readonly string[];
  begunAt: number;
  /** Absent: under way. */
  endedAt?: number;
  /** It was only noted: it counts for what is only noted, too. */
  notDone?: true;
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
      const begunAt = uptimeAt(this.clock, record.startedAt ?? record.requestedAt);
      const { finishedAt } = record;
      this.add(
        record,
        begunAt,
        finishedAt === undefined ? begunAt : uptimeAt(this.clock, finishedAt),
      );
    }
  }

  onEvent(event: PowerEvent): void {
    const uptime = this.clock.uptime();
    if (event.type === 'cycle') this.add(event.record, uptime, uptime);
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
    const isNoted = outcome === 'would-have';
    if (!begun && !isNoted) return;
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
    const cut = this.known.get(id) ?? {
      target,
      outlets,
      begunAt,
      isOff: false,
      ...(isNoted && { notDone: true as const }),
    };
    if (isFinished) {
      cut.endedAt ??= endedAt;
      cut.isOff = outcome === 'off';
    }
    this.known.set(id, cut);
  }
}

/** Seconds until the power of a target may be cut again, by the limits for one machine. */
export function waitFor(
  asked: Target,
  { rack, uptime, past }: { rack: Rack; uptime: number; past: readonly PastCycle[] },
): { wait: number; why: 'cooldown' | 'per-hour' } {
  const { cooldownSeconds, maxPerHour } = rack.services['power-cycle-daemon'];
  const relays = new Set(asked.feeds.map(formatOutlet));
  const own = past.filter(
    ({ target, outlets, notDone }) =>
      (target === asked.name || outlets.some((outlet) => relays.has(outlet))) &&
      (!notDone || whyObserved(asked, rack) !== undefined),
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
