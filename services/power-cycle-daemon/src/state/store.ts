/** Everything that must survive this process, in memory and in the journal. */
import { AcceptedRequests } from '@skolo/api';
import { Tables } from '@skolo/base/durable';
import { requestRecord } from '@skolo/common';
import { pendingOnTable } from '@skolo/rack/jumphost';
import {
  CycleRecord,
  DescriptionRecord,
  feedKey,
  HoldRecord,
  PendingOn,
  RepairRecord,
  Supplied,
  SwitchedOff,
} from './records.ts';

export class Store extends Tables {
  readonly cycles = this.table('cycle', CycleRecord, ({ id }) => id);
  readonly pendingOns = this.table(pendingOnTable, PendingOn, feedKey);
  readonly switchedOff = this.table('switched-off', SwitchedOff, feedKey);
  readonly holds = this.table('hold', HoldRecord, ({ id }) => id);
  readonly requests = this.table('request', requestRecord(AcceptedRequests), ({ key }) => key);
  readonly descriptions = this.table('description', DescriptionRecord, ({ key }) => key);
  readonly supplied = this.table('supplied', Supplied, feedKey);
  readonly repairs = this.table('repair', RepairRecord, ({ target }) => target);

  /** Cycles that are not finished. */
  active(): CycleRecord[] {
    return [...this.cycles.all.values()].filter(({ phase }) => phase !== 'finished');
  }

  /** Whether an accepted request is only noted, not carried out. */
  isOnlyNoted({ cycles }: AcceptedRequests): boolean {
    return cycles.some(({ id }) => this.cycles.get(id)?.outcome === 'would-have');
  }

  /** Cycles that wait for their turn to draw current, and those for which nothing was done yet. */
  waiting(): CycleRecord[] {
    return this.active().filter(({ phase }) => phase === 'queued' || phase === 'ready');
  }
}
