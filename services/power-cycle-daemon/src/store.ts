/** Everything that must survive this process, in memory and in the journal. */
import { Table, Tables, type TablesDeps } from '@skolo/durable';
import {
  CycleRecord,
  feedKey,
  HoldRecord,
  PendingOn,
  RepairRecord,
  RequestRecord,
  SwitchedOff,
} from './records.ts';

export class Store extends Tables {
  readonly cycles: Table<CycleRecord>;
  readonly pendingOns: Table<PendingOn>;
  readonly switchedOff: Table<SwitchedOff>;
  readonly holds: Table<HoldRecord>;
  readonly requests: Table<RequestRecord>;
  readonly repairs: Table<RepairRecord>;

  constructor(deps: TablesDeps) {
    const cycles = new Table('cycle', CycleRecord, ({ id }) => id);
    const pendingOns = new Table('debt', PendingOn, feedKey);
    const switchedOff = new Table('wish', SwitchedOff, feedKey);
    const holds = new Table('hold', HoldRecord, ({ id }) => id);
    const requests = new Table('request', RequestRecord, ({ key }) => key);
    const repairs = new Table('repair', RepairRecord, ({ target }) => target);
    super([cycles, pendingOns, switchedOff, holds, requests, repairs], deps);
    this.cycles = cycles;
    this.pendingOns = pendingOns;
    this.switchedOff = switchedOff;
    this.holds = holds;
    this.requests = requests;
    this.repairs = repairs;
  }

  /** Cycles that are not finished. */
  active(): CycleRecord[] {
    return [...this.cycles.all.values()].filter(({ phase }) => phase !== 'finished');
  }

  /** Cycles that wait for their turn to draw current, and those that nothing was done for yet. */
  waiting(): CycleRecord[] {
    return this.active().filter(({ phase }) => phase === 'queued' || phase === 'ready');
  }
}
