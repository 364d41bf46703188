/**
 * Decides when phones reboot after a task, and when one counts as back, so that the next task finds them in the same state. The hook
 * that reported the end of the task has been answered long before. The next task waits until each device is really back: present,
 * booted, and with a shorter uptime than the time since its reboot command. A device that is not back in time is left to the repair
 * ladder.
 *
 * This state is only in memory. An agent that is restarted meanwhile starts from the devices that it finds.
 */

import { errorText, pause, withDeadline } from '@skolo/base';
import type { EventLog } from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { Device, DeviceView } from '../devices/device.ts';
import type { DeviceWatch } from '../devices/device-watch.ts';
import type { PartDeps } from '../part-deps.ts';

interface RebootedDevice extends Pick<DeviceWatch, 'name' | 'view' | 'readNow'> {
  device: Pick<Device, 'repairs'>;
}

interface AfterTaskDeps extends Pick<PartDeps, 'clock' | 'emit'> {
  /** Undefined: not known yet, and nothing reboots. */
  settings: () => MachinePart['swarming']['afterTask'] | undefined;
  devices: () => readonly RebootedDevice[];
  /** By a job of others, who find the phones as they left them. */
  isBusy: () => boolean;
  /** Records a reboot that rack.yaml prohibits. Returns false if it is allowed. */
  wouldReboot: (device: string) => boolean;
  log: Pick<EventLog, 'warn'>;
  /** Pauses between readings, and before the command is repeated for a device that did not accept it. */
  lookSeconds?: number;
  againSeconds?: number;
}

/** A device before its reboot command. */
interface Asked {
  at: Date;
  /** Seconds since boot of this machine. */
  uptime: number;
  before: DeviceView;
}

const usualLookSeconds = 3;
const usualAgainSeconds = 15;
const commandWithinMs = 60_000;
/** Reading a device takes a moment, and both uptimes are rounded. */
const slackSeconds = 2;
/** How much lower its uptime must be than without a reboot. */
const leastGapSeconds = 3;

export class AfterTask {
  private readonly deps: AfterTaskDeps;
  private readonly underWay = new Map<string, { asked: Asked; ends: AbortController }>();
  private readonly lost = new Map<string, Asked & { since: Date }>();
  private readonly running = new Set<Promise<void>>();
  private isStopped = false;

  constructor(deps: AfterTaskDeps) {
    this.deps = deps;
  }

  /** A task has ended. Returns immediately. */
  taskEnded(): void {
    if (this.isStopped) return;
    const isWanted = this.deps.settings()?.reboot === true && !this.deps.isBusy();
    for (const device of this.deps.devices()) {
      const isRebooted = isWanted && device.device.repairs['device-reboot'] !== undefined;
      if (isRebooted && !this.deps.wouldReboot(device.name)) this.startReboot(device);
      else device.readNow().catch(() => undefined);
    }
    this.deps.emit({ type: 'facts' });
  }

  /** Devices that are rebooting now, and since when. */
  rebooting(): ReadonlyMap<string, Date> {
    return new Map([...this.underWay].map(([name, { asked }]) => [name, asked.at]));
  }

  /** Devices that did not come back in time, and since when. Excludes those that came back later. */
  notBack(): ReadonlyMap<string, Date> {
    const devices = new Map(this.deps.devices().map((device) => [device.name, device]));
    for (const [name, asked] of this.lost) {
      const device = devices.get(name);
      if (device === undefined || this.isBack(device.view(), asked)) this.lost.delete(name);
    }
    return new Map([...this.lost].map(([name, { since }]) => [name, since]));
  }

  /** Fulfilled when nothing is in progress. */
  async stop(): Promise<void> {
    this.isStopped = true;
    for (const { ends } of this.underWay.values()) ends.abort(new Error('the agent is stopping'));
    await Promise.all(this.running);
  }

  private startReboot(device: RebootedDevice): void {
    const { name } = device;
    // Another task has ended before it was back from the last one: its reboot starts over.
    this.underWay.get(name)?.ends.abort(new Error('another task has ended'));
    this.lost.delete(name);
    const { clock } = this.deps;
    const asked = { at: new Date(clock.now()), uptime: clock.uptime(), before: device.view() };
    const ends = new AbortController();
    const own = { asked, ends };
    this.underWay.set(name, own);
    const done: Promise<void> = this.reboot(device, asked, ends.signal)
      .catch((error: unknown) => {
        if (ends.signal.aborted) return;
        this.lost.set(name, { ...asked, since: new Date(clock.now()) });
        this.deps.log.warn(
          { device: name, why: errorText(error) },
          'device did not come back from its reboot after a task',
        );
      })
      .finally(() => {
        this.running.delete(done);
        if (this.underWay.get(name) !== own) return;
        this.underWay.delete(name);
        this.deps.emit({ type: 'facts' });
      });
    this.running.add(done);
  }

  /** Fulfilled when it is back. @throws Error It is not back in time. */
  private async reboot(device: RebootedDevice, asked: Asked, signal: AbortSignal): Promise<void> {
    const { lookSeconds = usualLookSeconds, againSeconds = usualAgainSeconds, clock } = this.deps;
    let sentAt = Number.NEGATIVE_INFINITY;
    let trouble: string | undefined;
    let isUp = false;
    for (;;) {
      // Also one that accepted the command but is up as before: adb may die with the command.
      const patience = trouble === undefined ? 2 * againSeconds : againSeconds;
      const isDue = trouble !== undefined || isUp;
      if (sentAt === Number.NEGATIVE_INFINITY || (isDue && clock.uptime() - sentAt >= patience)) {
        sentAt = clock.uptime();
        trouble = await this.sendReboot(device, signal);
      }
      const view = await device.readNow(signal);
      signal.throwIfAborted();
      if (this.isBack(view, asked)) return;
      isUp = view.state === 'present' && view.reading?.isReady !== false;
      const within = this.deps.settings()?.readySeconds ?? 0;
      if (clock.uptime() - asked.uptime >= within) {
        const how = isUp ? 'the device has not rebooted' : 'the device is still booting';
        const why = trouble ?? view.why ?? view.reading?.whyNotReady ?? how;
        throw new Error(`not back within ${within} s: ${why}`);
      }
      await pause(lookSeconds * 1000, signal);
    }
  }

  /** Undefined, or why it did not accept the command. */
  private async sendReboot(
    { device }: RebootedDevice,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      const late = () =>
        new Error(`the device did not accept the command within ${commandWithinMs / 1000} s`);
      await withDeadline({ ms: commandWithinMs, late, signal }, (either) =>
        device.repairs['device-reboot']?.(either),
      );
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return errorText(error);
    }
  }

  private isBack(view: DeviceView, { uptime, before }: Asked): boolean {
    const { state, since, reading } = view;
    if (state !== 'present' || reading === undefined || reading.isReady === false) return false;
    const { uptimeSeconds } = reading;
    if (uptimeSeconds === undefined) {
      // Its uptime is unknown: then it must have been away.
      return since.getTime() !== before.since.getTime();
    }
    const elapsed = this.deps.clock.uptime() - uptime;
    const previous = before.state === 'present' ? before.reading?.uptimeSeconds : undefined;
    // By its own clock: a phone is up for some seconds before adb finds it, so it seems older than its reboot.
    const atMost =
      previous === undefined
        ? elapsed + slackSeconds
        : previous + ageSeconds(before, uptime) + elapsed - leastGapSeconds;
    return uptimeSeconds + ageSeconds(view, this.deps.clock.uptime()) < atMost;
  }
}

/** By this machine's uptime: its clock may be set meanwhile. */
function ageSeconds({ readUptime }: DeviceView, uptime: number): number {
  return readUptime === undefined ? 0 : Math.max(0, uptime - readUptime);
}
