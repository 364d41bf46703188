/** The devices of this machine, as its slice of rack.yaml names them: opened, watched, and closed when they leave it. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@skolo/common/light';
import type { RebootedDevice } from './after-task.ts';
import type { AttachedDevice, Device, DeviceView } from './devices/device.ts';
import { DeviceWatch } from './devices/device-watch.ts';
import type { RepairTarget } from './repair/repairs.ts';

export interface MachineDevicesDeps {
  open: (device: AttachedDevice) => Device;
  /** How often each is read, in seconds. */
  readSeconds: () => number;
  clock: Clock;
  log: Logger;
  onChange: () => void;
  onLook: (view: DeviceView, seconds: number) => void;
}

interface Watched {
  entry: AttachedDevice;
  device: Device;
  watch: DeviceWatch;
}

export class MachineDevices {
  private readonly deps: MachineDevicesDeps;
  private readonly watched = new Map<string, Watched>();

  constructor(deps: MachineDevicesDeps) {
    this.deps = deps;
  }

  /** One whose entry is the same goes on as it is. `none` is no device. */
  follow(entries: readonly AttachedDevice[]): void {
    const wanted = new Map(
      entries.filter(({ kind }) => kind !== 'none').map((entry) => [entry.name, entry]),
    );
    for (const [name, { entry, watch }] of this.watched) {
      if (isDeepStrictEqual(entry, wanted.get(name))) continue;
      watch.stop();
      this.watched.delete(name);
    }
    for (const [name, entry] of wanted) {
      if (!this.watched.has(name)) this.watched.set(name, this.begin(entry));
    }
  }

  views(): DeviceView[] {
    return [...this.watched.values()].map(({ watch }) => watch.view());
  }

  names(): string[] {
    return [...this.watched.keys()];
  }

  get(name: string): Watched | undefined {
    return this.watched.get(name);
  }

  /** For repair. */
  patients(): RepairTarget[] {
    return [...this.watched.values()].map(({ entry, device, watch }) => ({
      attached: entry,
      device,
      view: watch.view(),
    }));
  }

  /** For the reboot after a task. */
  rebooted(): RebootedDevice[] {
    return [...this.watched].map(([name, { device, watch }]) => ({
      name,
      device,
      view: () => watch.view(),
      look: (signal) => watch.lookNow(signal),
    }));
  }

  stop(): void {
    this.follow([]);
  }

  private begin(entry: AttachedDevice): Watched {
    const { open, readSeconds, clock, log, onChange, onLook } = this.deps;
    const device = open(entry);
    const watch = new DeviceWatch({
      entry,
      device,
      readSeconds,
      clock,
      log,
      onChange,
      onLook,
    });
    watch.start();
    return { entry, device, watch };
  }
}
