/** When runs begin by themselves: by the schedule, for what is overdue, and for devices that were never read. */
import type { Clock, Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { Inventory } from './inventory.ts';
import type { DeviceRecord, MarkRecord } from './records.ts';
import type { Runs } from './runs.ts';
import { Schedule } from './schedule.ts';
import type { State } from './state.ts';
import { targetsOf } from './targets.ts';

const minuteMs = 60_000;
/** What the disk did not take is tried again after this long. */
const storageRetryMs = 15 * minuteMs;
/** Later than this it was not node-cron that woke us: something was made up for. */
const punctualMs = 90_000;

export interface PlannerDeps {
  rack: () => Rack;
  state: State;
  runs: Runs;
  inventory: Inventory;
  clock: Clock;
  log: Logger;
  /** Whether a device has a version in the history; true where that cannot be known now. */
  hasVersion(device: string): Promise<boolean>;
  everyMs?: number;
}

export class Planner {
  private readonly deps: PlannerDeps;
  private schedule: Schedule;
  private lastLook: number | undefined;
  /** The last look, in local minutes; undefined: none in this zone. */
  private seen: number | undefined;
  /** Who failed for want of a disk need not wait. */
  private isDiskWellAgain = false;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(deps: PlannerDeps) {
    this.deps = deps;
    this.schedule = this.newSchedule();
  }

  async start(): Promise<void> {
    this.seen = this.deps.state.marks.get('schedule')?.seen;
    this.schedule.start(() => void this.look());
    this.timer = setInterval(() => void this.look(), this.deps.everyMs ?? minuteMs);
    await this.look();
  }

  /** Takes over what rack.yaml says now. */
  async follow(): Promise<void> {
    const { expression, timezone } = this.schedule;
    const { rack } = this.deps;
    const now = {
      expression: rack().services['router-backup'].schedule,
      timezone: rack().timezone,
    };
    if (now.expression !== expression || now.timezone !== timezone) {
      await this.schedule.stop();
      this.schedule = this.newSchedule();
      // What another clock or expression had seen says nothing of this one.
      this.seen = undefined;
      this.schedule.start(() => void this.look());
    }
    await this.look();
  }

  /** When node-cron will wake us next. */
  next(): Date | undefined {
    return this.schedule.next();
  }

  /**
   * Looks whether anything is due. One after the other, so that nothing is begun twice.
   *
   * @param isDiskWell it was not, until now
   */
  async look({ isDiskWell = false } = {}): Promise<void> {
    if (isDiskWell) this.isDiskWellAgain = true;
    const look = () => this.lookNow();
    this.looking = this.looking.then(look, look);
    await this.looking.catch((error: unknown) => {
      this.deps.log.error({ err: error }, 'schedule is not looked at');
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.schedule.stop();
    await this.looking.catch(() => undefined);
  }

  private newSchedule(): Schedule {
    const { rack } = this.deps;
    return new Schedule(rack().services['router-backup'].schedule, rack().timezone);
  }

  private async lookNow(): Promise<void> {
    const { clock, state, runs, inventory, log } = this.deps;
    const isFirst = this.seen === undefined;
    const { isDue, seen } = this.schedule.look(this.seen, clock.now());
    this.seen = seen;
    const uptime = clock.uptime() * 1000;
    const isPunctual = this.lastLook !== undefined && uptime - this.lastLook < punctualMs;
    this.lastLook = uptime;
    const mark: MarkRecord = { name: 'schedule', seen };
    await inventory.look();
    if (isDue) {
      const origin = isPunctual ? 'schedule' : 'overdue';
      const devices = this.dueDevices();
      const changes = [state.marks.put(mark)];
      if (devices?.length === 0) {
        log.warn('a run is due while all of the one before still wait; it is left out');
        await state.keep(changes);
      } else {
        const request = { origin, by: 'schedule', isSpread: isPunctual } as const;
        await runs.begun({ ...request, ...(devices && { devices }) }, changes);
      }
    } else if (isFirst) {
      await state.keep([state.marks.put(mark)]);
    }
    await this.lookForNew();
  }

  /**
   * Those that no earlier run is about to read: one device that fails and is tried again must not cost all others their
   * turn. Undefined: all.
   */
  private dueDevices(): string[] | undefined {
    const { rack, runs } = this.deps;
    const targets = targetsOf(rack());
    const free = targets.filter(({ name }) => !runs.isAskedFor(name));
    if (free.length === targets.length) return undefined;
    return free.some(({ why }) => why === undefined) ? free.map(({ name }) => name) : [];
  }

  /** What was read and could not be stored: the disk may be well again, and the device has done its part. */
  private isOwed({ failure, lastAttempt }: DeviceRecord): boolean {
    if (failure !== 'storage' || lastAttempt === undefined) return false;
    if (this.isDiskWellAgain) return true;
    return Math.abs(this.deps.clock.now() - Date.parse(lastAttempt)) > storageRetryMs;
  }

  /** Who comes new into rack.yaml need not wait for the night; nor who lost its history. */
  private async lookForNew(): Promise<void> {
    const { rack, state, runs, hasVersion } = this.deps;
    const devices: string[] = [];
    let isLater = false;
    for (const { name, why } of targetsOf(rack())) {
      if (why !== undefined) continue;
      if (runs.isAskedFor(name)) {
        // It may yet fail for want of a disk.
        isLater = true;
        continue;
      }
      const known = state.devices.get(name);
      const isNew = known === undefined || known.retiredAt !== undefined;
      const isLost = known?.failure === undefined && !(await hasVersion(name));
      if (isNew || isLost || (known && this.isOwed(known))) devices.push(name);
    }
    this.isDiskWellAgain &&= isLater;
    if (devices.length === 0) return;
    const reason = 'not in the history yet';
    await runs.begun({ devices, origin: 'overdue', by: 'schedule', reason });
  }
}
