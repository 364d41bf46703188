/**
 * The history of machines: how often it is written, how long entries are kept before they are deleted, and what happens while the disk
 * does not accept any. Observations are collected and written together, so that an idle rack writes once a minute which services are up,
 * and a busy one not much more often. The database is in a thread of its own, because a disk may hang. Writing is retried after errors,
 * and everything else in the service works without it.
 */
import { join } from 'node:path';
import { type Curve, type HistoryEntry, MachineCondition } from '@skolo/api';
import { errorText, settlesWithin } from '@skolo/base';
import { hangs, hangsAfterMs, isWaitingForDisk } from '@skolo/base/durable/disk';
import { type DegradedList, degradedCode, HttpProblem } from '@skolo/common';
import { type Args, HistoryThread, type JobName, type Result } from '../history-thread.ts';
import type { Standing } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import { type Entry, shownEntry } from './entry.ts';
import type { Batch } from './jobs.ts';
import { Readings } from './readings.ts';
import type { Silence } from './silence.ts';
import { type ConditionChange, dayOf } from './tables.ts';

interface HistoryDeps extends Pick<PartDeps, 'clock' | 'log'> {
  stateDir: string;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  days(): number;
  /** Time between two writes of observations. */
  writeEveryMs: number;
  /** Time between two writes of the current hour's points. */
  readingsEveryMs: number;
}

/** The database cannot be read now. */
export class HistoryUnavailable extends HttpProblem {
  constructor(why: string) {
    super(503, `the history cannot be read: ${why}`);
  }
}

export type Happenings = Result<'happenings'>;

const fileName = 'history.sqlite';
/** The longest wait for an answer of the thread that does not wait for the disk. */
const slowestMs = 30_000;
const what = 'history';
const dayMs = 86_400_000;
/** The maximum of entries kept in memory while the disk does not accept them. */
const mostPending = 20_000;
/** A wall clock that is wrong for an hour deletes at most a day. */
const dropEverySeconds = 3600;
/** Shorter than incidents stay in memory. */
const listedSeconds = 60;

export class History {
  readonly readings = new Readings();
  /** Entries that exceeded the maximum while the disk did not accept them, since the start. */
  discarded = 0;
  private readonly deps: HistoryDeps;
  private readonly thread: HistoryThread;
  /** The last list of silences, shortly. */
  private listed: { at: number; read: ReturnType<History['silences']> } | undefined;
  private toWrite: Batch = emptyBatch();
  private isUsable = false;
  private why = 'it is not open yet';
  private timer: NodeJS.Timeout | undefined;
  private readingsAt: number;
  private droppedAt: number;
  private writing: { entries: number; done: Promise<void> } | undefined;
  private isClosed = false;

  constructor(deps: HistoryDeps) {
    this.deps = deps;
    this.thread = new HistoryThread(join(deps.stateDir, fileName), (damage) => {
      deps.log.error({ damage }, 'history set aside');
      // Until the next start.
      deps.degraded.raise('history damaged', damage);
    });
    this.readingsAt = deps.clock.uptime();
    this.droppedAt = Number.NEGATIVE_INFINITY;
  }

  /** Number of observed entries that are not written yet. */
  get pending(): number {
    return this.toWrite.entries.length + (this.writing?.entries ?? 0);
  }

  get isOpen(): boolean {
    return this.isUsable && !this.isSilent;
  }

  /** Opens it, or retries later. Returns what it knows about each machine, and the silences of current incidents. */
  async open(): Promise<{ standings: ReadonlyMap<string, Standing>; silences: Silence[] }> {
    try {
      const { points, silences, ...stored } = await this.read('recall', this.deps.clock.now());
      for (const packed of points) this.readings.recall(packed);
      const standings = new Map(
        [...stored.standings].flatMap(([name, standing]) => {
          const { data: condition } = MachineCondition.safeParse(standing.condition);
          return condition === undefined ? [] : [[name, { ...standing, condition }]];
        }),
      );
      return { standings, silences };
    } catch {
      this.later();
      return { standings: new Map(), silences: [] };
    }
  }

  add(entry: Entry): void {
    this.toWrite.entries.push(entry);
    this.limit();
    this.later();
  }

  setStanding(machine: string, standing: Standing): void {
    this.toWrite.standings.set(machine, standing);
    this.later();
  }

  setSilence(silence: Silence): void {
    const { silences } = this.toWrite;
    // The latest state of each is last.
    silences.delete(silence.id);
    silences.set(silence.id, silence);
    this.limit();
    this.later();
  }

  /** Points are written less often than events. */
  tick(): void {
    const { clock, readingsEveryMs } = this.deps;
    if (this.listed && clock.uptime() - this.listed.at > listedSeconds) this.listed = undefined;
    if (this.isSilent) {
      this.onTrouble(hangs);
      return;
    }
    if (clock.uptime() - this.readingsAt >= readingsEveryMs / 1000) this.later();
    if (clock.uptime() - this.droppedAt < dropEverySeconds || !this.isUsable) return;
    this.droppedAt = clock.uptime();
    void this.call('drop', this.oldest()).catch((error) => this.onTrouble(error));
  }

  /** @throws HistoryUnavailable */
  isKnown(machine: string): Promise<boolean> {
    return this.read('isKnown', machine);
  }

  /**
   * Newest first. Entries that began earlier and continue are at the end, with the machine's condition at the beginning.
   *
   * @throws HistoryUnavailable
   */
  async entries(
    machine: string,
    span: { from: number; to: number },
    most: number,
    wanted?: ReadonlySet<string>,
  ): Promise<HistoryEntry[]> {
    const oldest = this.oldest();
    const found = await this.read('timeline', { machine, span, most, wanted, oldest });
    return found.flatMap((entry) => shownEntry(entry) ?? []);
  }

  /** Conditions, holds, alerts and what concerns the rack, at most `most` entries, newest first. @throws HistoryUnavailable */
  happenings(
    { from, to, changed }: { from: number; to: number; changed: readonly string[] },
    most: number,
  ): Promise<Happenings> {
    const oldest = this.oldest();
    return this.read('happenings', { from: Math.max(from, oldest), to, most, oldest, changed });
  }

  /**
   * Newest first; see {@link SilenceTable.list}. Pages ask again and again: they share one read for a while, because what changes meanwhile
   * is still in memory, where the incidents keep it for minutes.
   *
   * @throws HistoryUnavailable
   */
  silences(): Promise<{ silences: Silence[]; completeFrom: number }> {
    const now = this.deps.clock.uptime();
    if (this.listed === undefined || now - this.listed.at > listedSeconds) {
      const listed = { at: now, read: this.read('silences', { endedFrom: this.oldest() }) };
      this.listed = listed;
      listed.read.catch(() => {
        if (this.listed === listed) this.listed = undefined;
      });
    }
    return this.listed.read;
  }

  /** Those of these IDs that are written. @throws HistoryUnavailable */
  knownSilences(ids: readonly string[]): Promise<string[]> {
    return this.read('knownSilences', ids);
  }

  /** @throws HistoryUnavailable */
  curves(machine: string, { from, to }: { from: number; to: number }): Promise<Curve[]> {
    return this.read('curves', machine, { from: Math.max(from, this.oldest()), to });
  }

  /** Changes of condition since then, a day at a time. @throws HistoryUnavailable */
  async *conditions(from: number): AsyncGenerator<ConditionChange[]> {
    const first = Math.max(from, this.oldest());
    for (let day = dayOf(first); day <= dayOf(this.deps.clock.now()); day += 1) {
      yield await this.read('conditions', day, first);
    }
  }

  /** Writes what is collected now, after what is being written. Never throws. */
  async flush(): Promise<void> {
    await this.writing?.done;
    await this.write();
  }

  /** What a disk that hangs does not accept in time is lost. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    await settlesWithin(
      hangsAfterMs,
      this.flush().then(() => this.thread.close()),
    );
  }

  private oldest(): number {
    return this.deps.clock.now() - this.deps.days() * dayMs;
  }

  private get isSilent(): boolean {
    return this.thread.silentMs > hangsAfterMs && isWaitingForDisk();
  }

  private later(): void {
    if (this.isClosed) return;
    this.timer ??= setTimeout(() => void this.write(), this.deps.writeEveryMs);
  }

  private limit(): void {
    const { entries, silences } = this.toWrite;
    this.discarded += entries.splice(0, entries.length - mostPending).length;
    for (const id of silences.keys()) {
      if (silences.size <= mostPending) break;
      silences.delete(id);
      this.discarded += 1;
    }
  }

  private async write(): Promise<void> {
    if (this.writing !== undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { clock, readingsEveryMs } = this.deps;
    const isDue = clock.uptime() - this.readingsAt >= readingsEveryMs / 1000;
    const curves = isDue || this.isClosed ? this.readings.takeUnwritten() : [];
    const batch = { ...this.toWrite, curves };
    const { entries, standings, silences } = batch;
    const size = entries.length + standings.size + silences.size + curves.length;
    if (size === 0 && this.isUsable) return;
    this.toWrite = emptyBatch();
    const done = this.call('write', batch).then(
      () => {
        this.deps.degraded.clear(what);
        if (isDue) this.readingsAt = clock.uptime();
        this.readings.forgetPast(clock.now());
      },
      (error: unknown) => {
        this.toWrite.entries.unshift(...entries);
        this.toWrite.standings = new Map([...standings, ...this.toWrite.standings]);
        this.toWrite.silences = new Map([...silences, ...this.toWrite.silences]);
        this.limit();
        this.readings.putBack(curves);
        this.onTrouble(error);
      },
    );
    this.writing = { entries: entries.length, done };
    await done;
    this.writing = undefined;
    const { toWrite } = this;
    if (toWrite.entries.length + toWrite.standings.size + toWrite.silences.size > 0) this.later();
  }

  /** Collected entries are part of the answer. */
  private async read<N extends JobName>(name: N, ...args: Args<N>): Promise<Result<N>> {
    try {
      if (this.isSilent) throw new Error(hangs);
      void this.write();
      const result = this.call(name, ...args);
      const isInTime = await settlesWithin(hangsAfterMs, result);
      if (!isInTime && isWaitingForDisk()) throw new Error(hangs);
      // The computer is slow.
      if (!(await settlesWithin(slowestMs, result))) throw new Error('this computer is overloaded');
      return await result;
    } catch (error) {
      this.onTrouble(error);
      throw new HistoryUnavailable(this.why);
    }
  }

  private async call<N extends JobName>(name: N, ...args: Args<N>): Promise<Result<N>> {
    const result = await this.thread.call(name, ...args);
    this.isUsable = true;
    return result;
  }

  private onTrouble(error: unknown): void {
    this.isUsable = false;
    this.why = errorText(error);
    this.deps.degraded.raise(what, this.why, degradedCode(error));
  }
}

function emptyBatch(): Batch {
  return { entries: [], standings: new Map(), curves: [], silences: new Map() };
}
