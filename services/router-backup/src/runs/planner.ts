/** Decides when a backup starts: on schedule, for overdue devices, for devices that were never read, and again after a full disk. */
import { inOrder } from '@skolo/base';
import type { ScheduledTask } from 'node-cron';
import type { Versions } from '../history/versions.ts';
import type { PartDeps } from '../part-deps.ts';
import type { DeviceRecord, MarkRecord } from '../state.ts';
import { targetsOf } from '../targets.ts';
import type { Inventory } from './inventory.ts';
import type { Runs } from './runs.ts';
import { Schedule } from './schedule.ts';

const minuteMs = 60_000;
/** A device that could not be stored is read again after this time. */
const storageRetryMs = 15 * minuteMs;
/** A computer without a clock battery starts in 1970. When its clock is set, node-cron would walk through each moment since then. */
const firstRelease = Date.UTC(2026, 0);
/** Older moments were missed by node-cron: the service or its computer was down or hung, or the clock was set. */
const missedMs = 90_000;

interface PlannerDeps extends Pick<PartDeps, 'rack' | 'clock' | 'log' | 'state'> {
  runs: Runs;
  inventory: Inventory;
  versions: Versions;
  /** Time between checks; default: at the start of each minute. */
  everyMs?: number | undefined;
}

export class Planner {
  private readonly deps: PlannerDeps;
  private schedule: Schedule;
  private task: ScheduledTask | undefined;
  /** Wall clock less uptime at the start of the task; undefined: to be started. In milliseconds. */
  private startedWith: number | undefined;
  /** The last check, in local minutes; undefined: none in this time zone. */
  private seen: number | undefined;
  /** Devices that could not be stored are retried immediately. */
  private isDiskWellAgain = false;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private readonly turns = inOrder();

  constructor(deps: PlannerDeps) {
    this.deps = deps;
    this.schedule = this.newSchedule();
  }

  async start(): Promise<void> {
    this.seen = this.deps.state.marks.get('schedule')?.seen;
    await this.check();
    this.checkAgain();
  }

  /** Applies the current rack.yaml. */
  async follow(): Promise<void> {
    const { services, timezone } = this.deps.rack();
    const { schedule } = this;
    if (
      schedule.expression !== services['router-backup'].schedule ||
      schedule.timezone !== timezone
    ) {
      this.schedule = this.newSchedule();
      this.startedWith = undefined;
      // The last check in another time zone or expression has no meaning for this one.
      this.seen = undefined;
    }
    await this.check();
  }

  /**
   * Starts what node-cron missed, and what does not depend on the schedule. One check at a time, so that no run starts twice.
   *
   * @param isDiskWell whether the disk just recovered from rejecting writes
   */
  async check({ isDiskWell = false } = {}): Promise<void> {
    if (isDiskWell) this.isDiskWellAgain = true;
    await this.inTurn(() => this.checkNow());
  }

  private async inTurn(check: () => Promise<void>): Promise<void> {
    await this.turns(check).catch((error: unknown) => {
      this.deps.log.error({ err: error }, 'schedule cannot be checked');
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.turns(async () => undefined);
    void this.task?.destroy();
  }

  private checkAgain(): void {
    if (this.isClosed) return;
    const { everyMs = minuteMs - (this.deps.clock.now() % minuteMs) } = this.deps;
    this.timer = setTimeout(() => void this.check().finally(() => this.checkAgain()), everyMs);
  }

  /** Starts the task, and again if the clock was set: node-cron has computed its next moment by the clock as it was. */
  private startTask(clockOffset: number): void {
    const { startedWith, deps } = this;
    if (startedWith !== undefined && Math.abs(clockOffset - startedWith) < minuteMs) return;
    this.startedWith = clockOffset;
    void this.task?.destroy();
    const isClockSet = deps.clock.now() >= firstRelease;
    this.task = isClockSet
      ? this.schedule.start(() => this.inTurn(() => this.startDue({ isCalled: true })), deps.log)
      : undefined;
  }

  private newSchedule(): Schedule {
    const { rack } = this.deps;
    return new Schedule(rack().services['router-backup'].schedule, rack().timezone);
  }

  private async checkNow(): Promise<void> {
    const { clock } = this.deps;
    this.startTask(clock.now() - clock.uptime() * 1000);
    await this.startDue();
    await this.startNew();
  }

  /**
   * Starts the run of the moments that were not checked yet: if node-cron calls, up to now, otherwise only those that it has missed.
   */
  private async startDue({ isCalled = false } = {}): Promise<void> {
    const { clock, state, runs, inventory, log } = this.deps;
    const now = clock.now();
    const isFirst = this.seen === undefined;
    const { isDue, seen } = this.schedule.dueSince(
      this.seen,
      isFirst || isCalled ? now : now - missedMs,
    );
    this.seen = seen;
    await inventory.check();
    const mark: MarkRecord = { name: 'schedule', seen };
    if (isFirst) return await state.writeLater([state.marks.put(mark)]);
    if (!isDue) return;
    const origin = isCalled ? 'schedule' : 'overdue';
    const devices = this.dueDevices();
    const changes = [state.marks.put(mark)];
    if (devices?.length === 0) {
      log.warn('run skipped: all backups are still queued from an earlier run');
      await state.writeLater(changes);
      return;
    }
    await runs.start({ origin, by: 'schedule', isSpread: isCalled, devices }, changes);
  }

  /** Devices that no earlier run is about to read: one device that fails and is retried must not delay all others. Undefined: all. */
  private dueDevices(): string[] | undefined {
    const { rack, runs } = this.deps;
    const targets = targetsOf(rack());
    const free = targets.filter(({ name }) => !runs.isAskedFor(name));
    if (free.length === targets.length) return undefined;
    return free.some(({ why }) => why === undefined) ? free.map(({ name }) => name) : [];
  }

  /** It was read but could not be stored, and the disk may accept it now. */
  private isToRetry({ failure, lastAttempt }: DeviceRecord): boolean {
    if (failure !== 'storage' || lastAttempt === undefined) return false;
    if (this.isDiskWellAgain) return true;
    return Math.abs(this.deps.clock.now() - Date.parse(lastAttempt)) > storageRetryMs;
  }

  /** Devices that are new in rack.yaml, or lost their history, are read without waiting for the night. */
  private async startNew(): Promise<void> {
    const { rack, state, runs } = this.deps;
    const devices: string[] = [];
    let isLater = false;
    for (const { name, why } of targetsOf(rack())) {
      if (why !== undefined) continue;
      if (runs.isAskedFor(name)) {
        // The disk may still reject it.
        isLater = true;
        continue;
      }
      const known = state.devices.get(name);
      const isNew = known === undefined || known.retiredAt !== undefined;
      const isLost = known?.failure === undefined && !(await this.hasVersion(name));
      if (isNew || isLost || (known && this.isToRetry(known))) devices.push(name);
    }
    this.isDiskWellAgain &&= isLater;
    if (devices.length === 0) return;
    const reason = 'the current configuration is not in the history yet';
    await runs.start({ devices, origin: 'overdue', by: 'schedule', reason });
  }

  /** True while that cannot be known. */
  private async hasVersion(device: string): Promise<boolean> {
    const newest = this.deps.versions.newest(device);
    return await newest.then(
      (version) => version !== undefined,
      () => true,
    );
  }
}
