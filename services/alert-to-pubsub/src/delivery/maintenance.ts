/**
 * Opens the spool as soon as the disk allows it. Then, periodically: refreshes alerts, ends those that are no longer received, and
 * shrinks the spool.
 */
import { pause, type Repetition, repeat } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import type { Intake } from '../intake/intake.ts';
import type { Capacity } from '../state/capacity.ts';
import { damageAtStart } from '../state/damage.ts';
import type { ReadingNote } from '../state/reading-note.ts';
import { carefulLimits, usualLimits } from '../state/records.ts';
import type { Opened, Store } from '../state/store.ts';
import type { Sinks } from './sinks.ts';

interface MaintenanceDeps {
  intake: Intake;
  store: Store;
  note: ReadingNote;
  sinks: Sinks;
  capacity: Capacity;
  clock: Clock;
  emit: EmitAlertEvent;
  periods?: Partial<Periods>;
  /** Aborted when the service stops, also while it starts. */
  signal: AbortSignal;
}

/** In milliseconds. */
export interface Periods {
  /** Between attempts to open the spool. */
  openEveryMs: number;
  checkEveryMs: number;
  shrinkEveryMs: number;
  /** Between looks at Alertmanager. */
  lookEveryMs?: number;
}

/** Deaths while the spool was read, after which only small records are read. */
const mostDeaths = 2;

const usual = { openEveryMs: 5000, checkEveryMs: 5000, shrinkEveryMs: 60_000 };

export class Maintenance {
  private readonly deps: MaintenanceDeps;
  private readonly periods: Periods;
  private readonly stopping = new AbortController();
  private opening: Promise<void> | undefined;
  private checking: Repetition | undefined;
  /** In seconds of uptime. */
  private shrunkAt: number;

  constructor(deps: MaintenanceDeps) {
    this.deps = deps;
    this.periods = { ...usual, ...deps.periods };
    this.shrunkAt = deps.clock.uptime();
  }

  /** Fulfilled after the first attempt to open the spool. */
  async start(): Promise<void> {
    if (!(await this.open())) this.opening = this.openLater();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.opening;
    await this.checking?.ended;
  }

  private async openLater(): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, this.deps.signal]);
    do {
      await pause(this.periods.openEveryMs, signal).catch(() => undefined);
    } while (!signal.aborted && !(await this.open()));
  }

  private async open(): Promise<boolean> {
    const { store, note, capacity, intake, sinks, emit, signal } = this.deps;
    const deaths = await note.begin();
    if (deaths >= mostDeaths) emit({ type: 'spool-kills', deaths });
    const interrupt = () => void note.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    let opened: Opened;
    try {
      signal.throwIfAborted();
      opened = await store.open(intake, deaths < mostDeaths ? usualLimits : carefulLimits);
      signal.removeEventListener('abort', interrupt);
      await note.end();
    } catch (error) {
      await note.interrupt();
      capacity.closed(error);
      return false;
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
    const { spool } = opened;
    capacity.open(spool, sinks);
    intake.open(spool);
    await sinks.open(spool);
    if (spool.tornBytes > 0) emit({ type: 'spool-torn', bytes: spool.tornBytes });
    for (const event of damageAtStart(opened, intake.alerts.size)) emit(event);
    for (const why of opened.oversize) {
      emit({ type: 'dead-letter', sink: 'spool', why, code: 'TOO_LARGE' });
    }
    const { checkEveryMs } = this.periods;
    this.checking = repeat(checkEveryMs, () => this.check(), this.stopping.signal, 'later');
    return true;
  }

  private async check(): Promise<void> {
    const { intake, sinks, capacity, clock, emit } = this.deps;
    const uptime = clock.uptime();
    await this.checkDisk();
    capacity.report();
    try {
      sinks.refresh(await intake.tick());
    } catch (error) {
      emit({ type: 'tick-failed', error });
    }
    const isDue = uptime - this.shrunkAt >= this.periods.shrinkEveryMs / 1000;
    if (!isDue && capacity.rejecting === undefined) return;
    this.shrunkAt = uptime;
    await this.shrink();
  }

  /** A probe may keep all senders away, so only this check can end the rejection. */
  private async checkDisk(): Promise<void> {
    const { store, capacity, emit } = this.deps;
    try {
      const { lost, isRestored } = await store.check();
      if (isRestored) emit({ type: 'spool-restored' });
      if (lost > 0) emit({ type: 'spool-damaged', records: lost, lost, lines: 0, isInUse: true });
      if (capacity.hasDiskError && (await store.isWritable())) capacity.wrote(undefined);
    } catch (error) {
      capacity.wrote(error);
    }
  }

  private async shrink(): Promise<void> {
    const { store, sinks, capacity, emit } = this.deps;
    try {
      await store.shrink(sinks.delivered);
    } catch (error) {
      capacity.wrote(error);
      emit({ type: 'shrink-failed', error });
    }
  }
}
