/**
 * Decides how soon, and how often per hour, a machine's power may be cut again (`cooldownSeconds`, `maxPerHour`). A soft reboot moves no
 * relay, so only the cooldown applies to it, which also ends loops of reboots.
 */
import type { Clock } from '@skolo/common';
import { formatOutlet, type Rack } from '@skolo/rack';
import { type CycleRecord, feedKey } from '../state/records.ts';
import { whyObserved } from './observed.ts';
import type { Target } from './targets.ts';
import { uptimeAt } from './uptime-at.ts';

/** A cycle, or an off with the on that ended it. Seconds since boot, which no wall clock can set back. */
export interface PastCycle {
  target: string;
  /** The relays that moved: `pdu-1/4`. */
  outlets: readonly string[];
  begunAt: number;
  /** Absent: in progress. */
  endedAt?: number;
  /** The machine rebooted itself, or was asked to: no relay moved. */
  softOnly?: boolean;
  /** It was only noted; limits of actions that are only noted include it. */
  notDone?: true;
}

interface Cut extends PastCycle {
  /** Turned off, and not yet on again: the on belongs to the same cut. */
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

  /** From the journal, at startup. */
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
    const { id, target, action, mode, feeds, begun, phase, outcome } = record;
    const isNoted = outcome === 'would-have';
    if (!begun && !isNoted) return;
    const softOnly = record.softOnly ?? (isNoted && mode === 'soft');
    const outlets = softOnly ? [] : feeds.map(feedKey);
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
    const before = this.known.get(id);
    const cut =
      before?.softOnly === softOnly
        ? before
        : {
            target,
            outlets,
            begunAt,
            isOff: false,
            softOnly,
            ...(isNoted && { notDone: true as const }),
          };
    if (isFinished) {
      cut.endedAt ??= endedAt;
      cut.isOff = outcome === 'off';
    }
    this.known.set(id, cut);
  }
}

/** Seconds until a target may be cycled again in this mode, under the limits for one machine. */
export function waitFor(
  asked: Target,
  { rack, uptime, past }: { rack: Rack; uptime: number; past: readonly PastCycle[] },
  mode: CycleRecord['mode'] = 'auto',
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
  const cuts = mode === 'soft' ? [] : own.filter(({ softOnly }) => !softOnly);
  const begun = cuts.map(({ begunAt }) => begunAt).sort((a, b) => b - a);
  // The cut that must be an hour old before another one is allowed.
  const oldest = begun[maxPerHour - 1];
  const perHour = oldest === undefined ? 0 : oldest + hour - uptime;
  return perHour > cooldown
    ? { wait: perHour, why: 'per-hour' }
    : { wait: cooldown, why: 'cooldown' };
}
