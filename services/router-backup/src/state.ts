/** Everything but the configurations that must survive this process, in memory and in the journal. */
import { Table, Tables, type TablesDeps } from '@skolo/durable';
import { DeviceRecord, LostRecord, MarkRecord, RunRecord } from './records.ts';

export class State extends Tables {
  readonly devices: Table<DeviceRecord>;
  readonly runs: Table<RunRecord>;
  readonly marks: Table<MarkRecord>;
  readonly lost: Table<LostRecord>;

  constructor(deps: TablesDeps) {
    const devices = new Table('device', DeviceRecord, ({ name }) => name);
    const runs = new Table('run', RunRecord, ({ id }) => id);
    const marks = new Table('mark', MarkRecord, ({ name }) => name);
    const lost = new Table('lost', LostRecord, ({ device }) => device);
    super([devices, runs, marks, lost], deps);
    this.devices = devices;
    this.runs = runs;
    this.marks = marks;
    this.lost = lost;
  }
}
