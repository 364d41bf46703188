/** Everything that must survive this process, in memory and in the journal. */
import { requestRecord } from '@skolo/common';
import { Tables } from '@skolo/durable';
import { pendingOnTable } from '@skolo/rack/jumphost';
import {
  Accepted,
  CycleRecord,
  feedKey,
  HoldRecord,
  PendingOn,
  RepairRecord,
  SwitchedOff,
} from './records.ts';

export class Store extends Tables {
  readonly cycles = this.table('cycle', CycleRecord, ({ id }) => id);
  readonly pendingOns = this.table(pendingOnTable, PendingOn, feedKey);
  readonly switchedOff = this.table('wish', SwitchedOff, feedKey);
  readonly holds = this.table('hold', HoldRecord, ({ id }) => id);
  readonly requests = this.table('request', requestRecord(Accepted), ({ key }) => key);
  readonly repairs = this.table('repair', RepairRecord, ({ target }) => target);

  /** Cycles that are not finished. */
  active(): CycleRecord[] {
    return [...this.cycles.all.values()].filter(({ phase }) => phase !== 'finished');
  }

  /** Cycles that wait for their turn to draw current, and those that nothing was done for yet. */
  waiting(): CycleRecord[] {
    return this.active().filter(({ phase }) => phase === 'queued' || phase === 'ready');
  }
}
