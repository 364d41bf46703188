/**
 * When the power of each target was cut, in seconds since boot: limits count by a clock that does not jump. Of cuts from
 * before this process only the wall time is known; one that lies in the future counts as just now.
 */
import type { Clock } from '@skolo/common';
import type { PastCycle } from './policy.ts';
import { type CycleRecord, feedKey } from './records.ts';

interface Cut extends PastCycle {
  /** Turned off, and not turned on again yet: the on belongs to the same cut. */
  isOff: boolean;
}

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
