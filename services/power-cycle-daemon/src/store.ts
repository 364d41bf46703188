/** Everything that must survive this process, in memory and in the journal. */
import { type OpenJournalDeps, openJournal, tryOpenJournal } from '@skolo/common';
import { type Journal, Table, Tables, type TablesDeps } from '@skolo/durable';
import { errorText } from '@skolo/errors';
import type { EmitPower } from './events.ts';
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

export interface DiskDeps extends Pick<OpenJournalDeps, 'stateDir' | 'log' | 'retryMs' | 'signal'> {
  emit: EmitPower;
}

/** The store with its journal on the disk, which may be down for now. */
export class Disk {
  readonly store: Store;
  private readonly journalDeps: OpenJournalDeps;
  private journal: Journal | undefined;

  constructor(deps: DiskDeps) {
    const { emit } = deps;
    this.store = new Store({
      journal: () => this.journal,
      onTrouble: (error) => emit({ type: 'journal-down', why: errorText(error) }),
      onWell: () => emit({ type: 'journal-up' }),
    });
    this.journalDeps = {
      ...deps,
      onTrouble: (why) => emit({ type: 'journal-down', why }),
      onDamage: (what) => emit({ type: 'journal-damaged', what }),
      load: (opened) => this.load(opened),
    };
  }

  get isOpen(): boolean {
    return this.journal !== undefined;
  }

  async tryOpen(): Promise<void> {
    this.journal = await tryOpenJournal(this.journalDeps);
  }

  /** Tries until it is open, or the daemon stops. */
  async open(): Promise<void> {
    this.journal = await openJournal(this.journalDeps);
  }

  async close(): Promise<void> {
    await this.store.flush();
    await this.journal?.close();
  }

  private load(opened: Journal): void {
    const unreadable = this.store.load(opened);
    const message = 'journal has records that cannot be understood';
    if (unreadable > 0) this.journalDeps.log.error({ unreadable }, message);
  }
}
