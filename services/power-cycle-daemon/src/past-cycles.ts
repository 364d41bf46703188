/**
 * When each target was cycled, in seconds since boot: limits count by a clock that does not jump. Of cycles from before
 * this process only the wall time is known; one that lies in the future counts as just now.
 */
import type { Clock } from '@skolo/common';
import type { PastCycle } from './policy.ts';
import type { CycleRecord } from './records.ts';

const rememberedSeconds = 86_400;

export class PastCycles {
  private readonly clock: Clock;
  private readonly known = new Map<string, PastCycle>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Of the journal, at the start. */
  load(records: Iterable<CycleRecord>): void {
    for (const record of records) {
      if (!record.begun || record.action !== 'cycle') continue;
      const begunAt = this.ago(record.startedAt ?? record.requestedAt);
      const endedAt = record.finishedAt === undefined ? undefined : this.ago(record.finishedAt);
      const past = { target: record.target, begunAt, ...(endedAt !== undefined && { endedAt }) };
      this.known.set(record.id, past);
    }
  }

  /** After each change of a cycle. */
  note({ id, target, action, begun, phase }: CycleRecord): void {
    if (!begun || action !== 'cycle') return;
    const uptime = this.clock.uptime();
    const past = this.known.get(id) ?? { target, begunAt: uptime };
    if (phase === 'finished') past.endedAt ??= uptime;
    this.known.set(id, past);
  }

  list(): PastCycle[] {
    const oldest = this.clock.uptime() - rememberedSeconds;
    for (const [id, { endedAt }] of this.known) {
      if (endedAt !== undefined && endedAt < oldest) this.known.delete(id);
    }
    return [...this.known.values()];
  }

  private ago(time: string): number {
    return this.clock.uptime() - Math.max(0, this.clock.now() - Date.parse(time)) / 1000;
  }
}
