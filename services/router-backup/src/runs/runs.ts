/**
 * Runs of backups: which devices are read, how many at once, when and how often a failure is retried, and how many runs are kept. The
 * next start continues interrupted runs.
 */

import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { BackupRun } from '@skolo/api';
import { errorText, pause } from '@skolo/base';
import type { Change } from '@skolo/base/durable';
import { type CrashNotes, HttpProblem, type Locks, resolveId } from '@skolo/common';
import { expandNames, RangeSyntaxError } from '@skolo/rack';
import PQueue from 'p-queue';
import { type Outcome, Stopping } from '../outcome.ts';
import type { PartDeps } from '../part-deps.ts';
import { isWorthRetrying } from '../read/failure.ts';
import type { PowerDaemon } from '../read/power-daemon.ts';
import { asEquipment, type RunEntry, type RunRecord } from '../state.ts';
import { noSuchDevice, type Target, targetOf, targetsOf } from '../targets.ts';
import type { Attempts } from './attempts.ts';
import { jitterOf } from './schedule.ts';

/** Runs that are kept. Older ones are forgotten. */
const keptRuns = 200;
const minuteMs = 60_000;
/** How long to wait for a power cycle before the device counts as busy. */
const patienceMs = { byHand: minuteMs, byItself: 10 * minuteMs };
/** How often a failed backup is tried again, and after which pauses. */
const usualPauses = { byHand: [], byItself: [0.5 * minuteMs, 3 * minuteMs, 15 * minuteMs] };

export interface RunsDeps extends Pick<PartDeps, 'rack' | 'clock' | 'log' | 'emit' | 'state'> {
  /** Aborted when the service stops. */
  signal: AbortSignal;
  locks: Locks;
  crashNotes: Pick<CrashNotes, 'isSuspect' | 'whenDue' | 'whyNot' | 'inTurn' | 'noted' | 'lift'>;
  attempts: Attempts;
  power: Pick<PowerDaemon, 'wanted'>;
  /** Pauses before each further attempt at a device, in milliseconds. */
  retryPauses?: { byHand: readonly number[]; byItself: readonly number[] } | undefined;
}

interface RunRequest {
  /** Absent: all. */
  devices?: readonly string[] | undefined;
  origin: BackupRun['origin'];
  by: string;
  reason?: string | undefined;
  /** Whether the devices are spread over the configured jitter. */
  isSpread?: boolean;
}

export class Runs {
  private readonly deps: RunsDeps;
  private readonly queue: PQueue;
  /** In progress, with the results so far. */
  private readonly live = new Map<string, RunRecord>();
  private readonly reading = new Set<string>();
  private readonly working = new Set<Promise<void>>();
  /** Aborted, and replaced, when the disk accepts writes again. */
  private disk = new AbortController();

  constructor(deps: RunsDeps) {
    this.deps = deps;
    this.queue = new PQueue({ concurrency: deps.rack().services['router-backup'].concurrency });
  }

  /** Applies the current rack.yaml. */
  follow(): void {
    this.queue.concurrency = this.deps.rack().services['router-backup'].concurrency;
  }

  /**
   * Starts a run. Fulfilled once it is durable, before it finishes.
   *
   * @throws HttpProblem There is no such equipment. StorageUnavailable: it would not survive.
   */
  async request(request: RunRequest): Promise<BackupRun> {
    const { state, crashNotes } = this.deps;
    const run = await this.startWith(request, (change) => state.write([change]));
    // Not for all devices: one that kills the service would end the run again.
    if (request.devices !== undefined)
      for (const { equipment } of run.equipment) crashNotes.lift(equipment);
    return run;
  }

  /**
   * Starts a run that no caller waits for, even while the disk rejects writes.
   *
   * @param changes made durable together with it
   */
  async start(request: RunRequest, changes: readonly Change[] = []): Promise<BackupRun> {
    const { state } = this.deps;
    return await this.startWith(request, (run) => state.writeLater([run, ...changes]));
  }

  /** Continues the runs that the last process left. */
  resume(): void {
    const { state, log } = this.deps;
    for (const record of state.runs.all.values()) {
      if (record.finishedAt !== undefined || this.live.has(record.id)) continue;
      const devices = record.devices.map((entry) => this.asLeft(record.id, entry));
      log.info({ run: record.id, left: devices.filter(isOpen).length }, 'run continues');
      this.launch({ ...record, devices }, false);
    }
  }

  /** Immediately retries what could not be stored. */
  retryStorage(): void {
    this.disk.abort();
    this.disk = new AbortController();
    setMaxListeners(0, this.disk.signal);
  }

  /** Newest first. */
  list(): BackupRun[] {
    const records = [...this.deps.state.runs.all.values()].sort((a, b) => b.number - a.number);
    return records.map((record) => answerOf(this.live.get(record.id) ?? record));
  }

  /** @throws HttpProblem 404: there is none. */
  find(written: string): BackupRun {
    const { runs } = this.deps.state;
    const ids = new Set([...runs.all.keys(), ...this.live.keys()]);
    const id = resolveId(ids, written, { noun: 'run', list: 'skolo backup runs' });
    const record = this.live.get(id) ?? runs.get(id);
    if (record === undefined) throw new Error(`run ${id} has no record`);
    return answerOf(record);
  }

  isReading(device: string): boolean {
    return this.reading.has(device);
  }

  /** Whether it is queued or being read. */
  isAskedFor(device: string): boolean {
    return [...this.live.values()].some(({ devices }) =>
      devices.some((entry) => entry.device === device && isOpen(entry)),
    );
  }

  /** Waits for the runs, which end with `signal` of the deps. */
  async close(): Promise<void> {
    await Promise.all(this.working);
  }

  private async startWith(
    request: RunRequest,
    write: (run: Change) => Promise<unknown>,
  ): Promise<BackupRun> {
    const record = this.newRecord(request, this.targets(request.devices));
    await write(this.deps.state.runs.put(record));
    this.launch(record, request.isSpread ?? false);
    return answerOf(record);
  }

  private targets(names: readonly string[] | undefined): Target[] {
    const all = targetsOf(this.deps.rack());
    if (names === undefined) return all;
    const known = new Map(all.map((target) => [target.name, target]));
    const found = new Set<Target>();
    // One after the other, because each may be a range of thousands.
    for (const text of names) {
      for (const name of inRange(text)) {
        const target = known.get(name);
        if (target === undefined) throw noSuchDevice(name, [...known.keys()]);
        found.add(target);
      }
    }
    return [...found];
  }

  private newRecord({ origin, by, reason }: RunRequest, targets: readonly Target[]): RunRecord {
    const { clock, state } = this.deps;
    const numbers = [...state.runs.all.values()].map(({ number }) => number);
    const requestedAt = new Date(clock.now()).toISOString();
    return {
      id: `${requestedAt.slice(0, 19).replaceAll(/[-:]/g, '')}Z-${randomBytes(3).toString('hex')}`,
      number: Math.max(0, ...numbers, ...[...this.live.values()].map((run) => run.number)) + 1,
      origin,
      by,
      reason,
      requestedAt,
      devices: targets.map(({ name }) => ({ device: name, state: 'waiting' })),
    };
  }

  /** The result of a device that finished before the stop. */
  private asLeft(run: string, entry: RunEntry): RunEntry {
    const known = this.deps.state.devices.get(entry.device);
    if (known?.lastRun !== run || known.lastResult === undefined) {
      return { device: entry.device, state: 'waiting' };
    }
    const { lastResult: result, failure, detail, unsaved, seconds } = known;
    const { device } = entry;
    return { device, state: 'done', result, failure, detail, unsaved, seconds };
  }

  private launch(record: RunRecord, isSpread: boolean): void {
    this.live.set(record.id, record);
    const work = this.perform(record, isSpread).catch((error: unknown) => {
      if (error instanceof Stopping || this.deps.signal.aborted) return;
      this.deps.log.error({ err: error, run: record.id }, 'run failed');
    });
    this.working.add(work);
    void work.finally(() => this.working.delete(work));
  }

  private async perform(record: RunRecord, isSpread: boolean): Promise<void> {
    const { clock, state, rack, emit } = this.deps;
    const { jitterSeconds } = rack().services['router-backup'];
    await Promise.all(
      record.devices.filter(isOpen).map(async (entry) => {
        const delayMs = isSpread ? jitterOf(entry.device, jitterSeconds) : 0;
        await this.readWithRetries(record, entry, delayMs);
      }),
    );
    record.finishedAt = new Date(clock.now()).toISOString();
    await state.writeLater([state.runs.put(record), ...this.forgotten()]);
    this.live.delete(record.id);
    emit({ type: 'run-finished', run: record });
  }

  private forgotten() {
    const { state } = this.deps;
    const records = [...state.runs.all.values()].sort((a, b) => b.number - a.number);
    return records.slice(keptRuns).map(({ id }) => state.runs.remove(id));
  }

  /** One device, including retries. */
  private async readWithRetries(
    record: RunRecord,
    entry: RunEntry,
    delayMs: number,
  ): Promise<void> {
    const { signal, rack, retryPauses = usualPauses, emit, log } = this.deps;
    const isByHand = record.origin === 'person';
    await this.wait(delayMs);
    const pauses = isByHand ? retryPauses.byHand : retryPauses.byItself;
    for (let tries = 0; ; tries += 1) {
      const target = targetOf(rack(), entry.device);
      if (target === undefined || target.why !== undefined) {
        const detail = target?.why ?? 'no longer in rack.yaml';
        return set(entry, { state: 'done', result: 'not-backed-up', detail });
      }
      const outcome = await this.readOnce(record, entry, isByHand).catch((error: unknown) => {
        if (error instanceof Stopping || signal.aborted) throw error;
        // A run that never ends would block all later ones.
        log.error({ err: error, device: entry.device, run: record.id }, 'attempt failed');
        const detail = errorText(error);
        return { result: 'failed', failure: 'internal', detail, seconds: 0 } as const;
      });
      if (outcome === undefined) continue;
      const { result, failure } = outcome;
      const isLast = tries >= pauses.length || !failure || !isWorthRetrying[failure];
      set(entry, { ...resultOf(outcome), state: isLast ? 'done' : 'waiting' });
      if (isLast) return emit({ type: 'device-done', run: record, device: target.name, outcome });
      if (result === 'failed') {
        const disk = failure === 'storage' ? this.disk.signal : undefined;
        await this.wait(pauses[tries] ?? 0, disk);
      }
      signal.throwIfAborted();
    }
  }

  /** Undefined: it must not be read any more. */
  private async readOnce(
    { id: run, by, reason }: RunRecord,
    entry: RunEntry,
    isByHand: boolean,
  ): Promise<Outcome | undefined> {
    const { locks, signal, attempts, rack, crashNotes } = this.deps;
    const { device: name } = entry;
    await crashNotes.whenDue(name, signal);
    const isSuspect = crashNotes.isSuspect(name);
    return await locks.hold(name, async () => {
      await this.whenFree(name, isByHand);
      // A device that a person waits for comes before the rest of the night's run.
      return await this.queue.add(
        async () => {
          if (signal.aborted) throw signal.reason;
          // Its address or login may have changed while it waited.
          const target = targetOf(rack(), name);
          if (target === undefined || target.why !== undefined) return undefined;
          set(entry, { state: 'reading' });
          this.reading.add(name);
          try {
            const paused = crashNotes.whyNot(name);
            const occasion = { run, by, isByHand, reason, paused };
            const contact = () => attempts.attempt(target, occasion, signal);
            if (paused !== undefined) return await contact();
            const attempt = () => crashNotes.noted(name, contact);
            return await (isByHand && !isSuspect ? attempt() : crashNotes.inTurn(name, attempt));
          } finally {
            this.reading.delete(name);
          }
        },
        { priority: isSuspect ? -1 : Number(isByHand) },
      );
    });
  }

  /** Waits until the power-cycle daemon does not need the device, up to a limit. */
  private async whenFree(device: string, isByHand: boolean): Promise<void> {
    const { power, signal } = this.deps;
    const mostMs = isByHand ? patienceMs.byHand : patienceMs.byItself;
    const everyMs = 2000;
    for (let waitedMs = 0; waitedMs < mostMs; waitedMs += everyMs) {
      if (!(await power.wanted(signal)).has(device)) return;
      await pause(everyMs, signal);
    }
  }

  /** @param unless ends it early */
  private async wait(ms: number, unless?: AbortSignal): Promise<void> {
    const { signal } = this.deps;
    if (ms > 0) {
      const either = unless ? AbortSignal.any([signal, unless]) : signal;
      await pause(ms, either).catch((error: unknown) => {
        if (unless?.aborted !== true) throw error;
      });
    }
    signal.throwIfAborted();
  }
}

function isOpen({ state }: RunEntry): boolean {
  return state !== 'done';
}

/** Replaces the previous attempt's result. */
function set(entry: RunEntry, now: Omit<RunEntry, 'device'>): void {
  for (const key of ['result', 'failure', 'detail', 'version', 'unsaved', 'size'] as const) {
    delete entry[key];
  }
  Object.assign(entry, now);
}

function resultOf({ result, failure, detail, version, unsaved, size, seconds }: Outcome) {
  return { result, failure, detail, version, unsaved, size, seconds };
}

function answerOf({ number: _, devices, ...run }: RunRecord): BackupRun {
  return { ...run, equipment: devices.map(asEquipment) };
}

/** `switch-[1-3]` expands to three of them. */
function inRange(text: string): string[] {
  try {
    return expandNames(text);
  } catch (error) {
    if (error instanceof RangeSyntaxError) throw new HttpProblem(400, error.message);
    throw error;
  }
}
