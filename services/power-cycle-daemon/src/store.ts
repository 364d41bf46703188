/** Everything that must survive this process, in memory and in the journal. */
import { Table, Tables, type TablesDeps } from '@skolo/durable';
import {
  CycleRecord,
  Debt,
  feedKey,
  HoldRecord,
  RepairRecord,
  RequestRecord,
  Wish,
} from './records.ts';

export class Store extends Tables {
  readonly cycles: Table<CycleRecord>;
  readonly debts: Table<Debt>;
  readonly wishes: Table<Wish>;
  readonly holds: Table<HoldRecord>;
  readonly requests: Table<RequestRecord>;
  readonly repairs: Table<RepairRecord>;

  constructor(deps: TablesDeps) {
    const cycles = new Table('cycle', CycleRecord, ({ id }) => id);
    const debts = new Table('debt', Debt, feedKey);
    const wishes = new Table('wish', Wish, feedKey);
    const holds = new Table('hold', HoldRecord, ({ id }) => id);
    const requests = new Table('request', RequestRecord, ({ key }) => key);
    const repairs = new Table('repair', RepairRecord, ({ target }) => target);
    super([cycles, debts, wishes, holds, requests, repairs], deps);
    this.cycles = cycles;
    this.debts = debts;
    this.wishes = wishes;
    this.holds = holds;
    this.requests = requests;
    this.repairs = repairs;
  }
}
