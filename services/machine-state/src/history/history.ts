/**
 * The history: events, and the curves of devices. Observations are collected and written together, so that an idle rack writes nothing and
 * a busy one rarely. A damaged database is set aside, and writing is retried after errors. Everything else in the service works without it.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Curve, HistoryEntry } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { Clock, DegradedList, Logger } from '@skolo/common';
import type { Standing } from '../join/sources.ts';
import { HistoryUnusable, isDamage, openDatabase, setAside } from './database.ts';
import { type Entry, shownEntry } from './entry.ts';
import { type Series, seriesKey, unpackPoints } from './points.ts';
import { Readings } from './readings.ts';
import { type ConditionChange, dayOf, HistoryTables } from './tables.ts';

interface HistoryDeps {
  stateDir: string;
  clock: Clock;
  log: Logger;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  days(): number;
  /** Time between two writes of observations. */
  writeEveryMs: number;
  /** Time between two writes of the current hour's points. */
  readingsEveryMs: number;
}

/** The database cannot be read now. */
export class HistoryUnavailable extends Error {
  constructor(why: string) {
    super(`the history cannot be read: ${why}`);
    this.name = 'HistoryUnavailable';
  }
}

const fileName = 'history.sqlite';
const what = 'history';
const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** The maximum kept while the disk does not accept it. */
const mostPending = 20_000;
/** A wall clock that is wrong for an hour deletes at most a day. */
const dropEverySeconds = 3600;

export class History {
  readonly readings = new Readings();
  private readonly deps: HistoryDeps;
  private readonly file: string;
  private tables: { all: HistoryTables; close(): void } | undefined;
  private entriesToWrite: Entry[] = [];
  private standingsToWrite = new Map<string, Standing>();
  private why = 'it is not open yet';
  private timer: NodeJS.Timeout | undefined;
  private readingsAt: number;
  private droppedAt: number;
  private working: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(deps: HistoryDeps) {
    this.deps = deps;
    this.file = join(deps.stateDir, fileName);
    this.readingsAt = deps.clock.uptime();
    this.droppedAt = Number.NEGATIVE_INFINITY;
  }

  /** Number of observed entries that are not written yet. */
  get pending(): number {
    return this.entriesToWrite.length;
  }

  get isOpen(): boolean {
    return this.tables !== undefined;
  }

  /** Opens it, or retries later. Returns what it knows about each machine. */
  async open(): Promise<ReadonlyMap<string, Standing>> {
    await this.tryOpen();
    if (this.tables === undefined) {
      this.later();
      return new Map();
    }
    const { clock } = this.deps;
    const hour = Math.floor(clock.now() / hourMs);
    for (const packed of this.tables.all.curvesOf(hour)) this.readings.recall(packed);
    return this.tables.all.standings();
  }

  add(entry: Entry): void {
    this.entriesToWrite.push(entry);
    if (this.entriesToWrite.length > mostPending) this.entriesToWrite.shift();
    this.later();
  }

  setStanding(machine: string, standing: Standing): void {
    this.standingsToWrite.set(machine, standing);
    this.later();
  }

  /** Points are written less often than events. */
  tick(): void {
    const { clock, readingsEveryMs } = this.deps;
    if (clock.uptime() - this.readingsAt >= readingsEveryMs / 1000) this.later();
    if (clock.uptime() - this.droppedAt >= dropEverySeconds) this.dropOld();
  }

  isKnown(machine: string): boolean {
    return this.read((tables) => tables.isKnown(machine));
  }

  /**
   * Newest first. Entries that began earlier and continue are at the end, with the machine's condition at the beginning.
   *
   * @throws HistoryUnavailable
   */
  entries(
    machine: string,
    span: { from: number; to: number },
    most: number,
    wanted?: ReadonlySet<string>,
  ): HistoryEntry[] {
    const isWanted = (kind: string) => wanted === undefined || wanted.has(kind);
    const from = Math.max(span.from, this.oldest());
    const found = this.read((tables) => {
      const within = tables.entries(machine, { ...span, from }, most, isWanted);
      if (within.length >= most) return within;
      const before = tables.before(machine, from, dayOf(this.oldest()));
      return [...within, ...before.filter(({ kind }) => isWanted(kind))];
    });
    return found.slice(0, most).flatMap((entry) => shownEntry(entry) ?? []);
  }

  /** @throws HistoryUnavailable */
  curves(machine: string, { from, to }: { from: number; to: number }): Curve[] {
    const curves = new Map<string, Curve>();
    const first = Math.floor(Math.max(from, this.oldest()) / hourMs);
    this.read((tables) => {
      for (const device of tables.devicesOf(machine)) {
        for (let hour = first; hour <= Math.floor(to / hourMs); hour += 1) {
          const packed = tables.curve(machine, device, hour);
          for (const series of packed === undefined ? [] : unpackPoints(hour, packed)) {
            addPoints(curves, device, series, { from: from / 1000, to: to / 1000 });
          }
        }
      }
    });
    return [...curves.values()];
  }

  /** Changes of condition since then, a day at a time: other work runs between two days. @throws HistoryUnavailable */
  async *conditions(from: number): AsyncGenerator<ConditionChange[]> {
    const first = Math.max(from, this.oldest());
    for (let day = dayOf(first); day <= dayOf(this.deps.clock.now()); day += 1) {
      yield this.read((tables) => tables.conditions(day, first));
      await setImmediate();
    }
  }

  /** Writes what is collected now. Never throws. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { clock } = this.deps;
    const [entries, standings] = [this.entriesToWrite, this.standingsToWrite];
    const isDue = clock.uptime() - this.readingsAt >= this.deps.readingsEveryMs / 1000;
    const readings = isDue || this.isClosed ? this.readings.unwritten() : [];
    if (this.tables === undefined) {
      this.later();
      return;
    }
    if (entries.length + standings.size + readings.length === 0) return;
    const { all: tables } = this.tables;
    try {
      tables.together(() => {
        for (const entry of entries) tables.putEntry(entry);
        for (const [machine, standing] of standings) tables.putStanding(machine, standing);
        for (const packed of readings) tables.putCurve(packed);
      });
      this.entriesToWrite = [];
      this.standingsToWrite = new Map();
      if (readings.length > 0) this.readings.written(clock.now());
      if (isDue) this.readingsAt = clock.uptime();
      this.deps.degraded.clear(what);
    } catch (error) {
      this.onTrouble(error);
      this.later();
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.working;
    this.flush();
    clearTimeout(this.timer);
    this.tables?.close();
    this.tables = undefined;
  }

  private oldest(): number {
    return this.deps.clock.now() - this.deps.days() * dayMs;
  }

  private later(): void {
    if (this.isClosed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.working = this.writeOrOpen();
    }, this.deps.writeEveryMs);
  }

  private async writeOrOpen(): Promise<void> {
    if (this.tables === undefined) await this.tryOpen();
    this.flush();
  }

  private dropOld(): void {
    if (this.tables === undefined) return;
    this.droppedAt = this.deps.clock.uptime();
    const { all: tables } = this.tables;
    try {
      tables.together(() => tables.dropOldest(this.oldest()));
    } catch (error) {
      this.onTrouble(error);
    }
  }

  /** Collected entries are part of the answer. */
  private read<T>(question: (tables: HistoryTables) => T): T {
    this.flush();
    if (this.tables === undefined) throw new HistoryUnavailable(this.why);
    try {
      return question(this.tables.all);
    } catch (error) {
      this.onTrouble(error);
      throw new HistoryUnavailable(this.why);
    }
  }

  private onTrouble(error: unknown): void {
    this.why = errorText(error);
    this.deps.degraded.raise(what, this.why);
    if (!isDamage(error)) return;
    // The next attempt sets it aside.
    this.tables?.close();
    this.tables = undefined;
    this.later();
  }

  private async tryOpen(): Promise<void> {
    const { clock, log, degraded } = this.deps;
    try {
      this.tables = this.openTables();
    } catch (error) {
      if (!(error instanceof HistoryUnusable)) return this.onTrouble(error);
      try {
        const aside = await setAside(this.file, clock.now());
        log.error({ err: error, aside }, 'history set aside');
        const hint = `a new history was started; the previous one was moved to ${aside}`;
        // Until the next start.
        degraded.raise('history damaged', `${error.message}; ${hint}`);
        this.tables = this.openTables();
      } catch (again) {
        this.onTrouble(again);
      }
    }
    if (this.tables !== undefined) degraded.clear(what);
  }

  private openTables() {
    const database = openDatabase(this.file);
    return { all: new HistoryTables(database), close: () => database.close() };
  }
}

function addPoints(
  curves: Map<string, Curve>,
  device: string,
  { points, ...series }: Series,
  { from, to }: { from: number; to: number },
): void {
  const key = `${device} ${seriesKey(series)}`;
  const curve = curves.get(key) ?? { device, ...series, points: [] };
  curve.points.push(...points.filter(([at]) => at >= from && at <= to));
  curves.set(key, curve);
}
