/** The knowledge of a device that is attached to the machine. Each kind has a file next to this one. */

import type { Logger } from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { RunCommand } from '../host/run-command.ts';
import type { SshSignIns } from './ssh-sign-ins.ts';

/** A device as the machine's part of rack.yaml describes it. */
export type AttachedDevice = MachinePart['devices'][number];
export type DeviceKind = AttachedDevice['kind'];

/** Texts by key, as Swarming has them. */
export type Dimensions = Readonly<Record<string, readonly string[]>>;

/** The result of one look at a device that is present. Unknown values are absent. */
export interface DeviceReading {
  /** What it is, where rack.yaml leaves that open (`auto`). */
  kind?: DeviceKind | undefined;
  dimensions: Dimensions;
  serial?: string | undefined;
  /** 0 to 100. */
  batteryPercent?: number | undefined;
  /** Whether a cable powers it, as it reports itself. */
  charging?: boolean | undefined;
  /** Age of its USB connection as it reports itself: one that lost its power has a younger one. */
  connectedSeconds?: number | undefined;
  /** °C, by the name of the sensor. */
  temperatures: Readonly<Record<string, number>>;
  /** Those of them that are inside of a processor: they are warm whenever it works. */
  processorSensors?: readonly string[] | undefined;
  /** Android's thermal status: 0 none … 3 severe … 6 shutdown (PowerManager.THERMAL_STATUS_*). */
  thermalStatus?: number | undefined;
  /** Seconds since it booted. */
  uptimeSeconds?: number | undefined;
  /** It has booted and is ready for a task; absent: not known. */
  isReady?: boolean | undefined;
}

/** What one look found. `why` is for people: "offline", "unauthorized: accept the key on its screen". */
export type Look = { state: 'present'; reading: DeviceReading } | { state: 'missing'; why: string };

export type DeviceRepair = 'adb-reconnect' | 'adb-restart' | 'device-reboot';

/** A device that can be asked. Nothing here waits longer than the settings allow. */
export interface Device {
  /** Never throws but the reason of the signal: after any error the device is missing, with the reason. */
  look(signal: AbortSignal): Promise<Look>;
  /**
   * What may bring it back, each for the kinds that have it. `device-reboot` is also for after a task.
   *
   * @throws CommandFailed, or an Error with the reason.
   */
  repairs: Partial<Record<DeviceRepair, (signal: AbortSignal) => Promise<void>>>;
  /**
   * Keeps what shows what is wrong with it: a screenshot, its last log. Returns the names of the files.
   *
   * @param folder is there, and empty
   */
  keepEvidence?(folder: string, signal: AbortSignal): Promise<string[]>;
  /** Writes its screen to a file, as PNG where the device can. @throws CommandFailed, or an Error with the reason. */
  keepScreen?: ((path: string, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Settings that a device needs, as they are now. */
export interface DeviceSettings {
  /** Time-out of one command of adb or libimobiledevice, in seconds. */
  commandSeconds: number;
  ssh: { user: string; port: number; privateKey?: string | undefined; commandSeconds: number };
}

export interface DeviceDeps {
  run: RunCommand;
  settings: () => DeviceSettings;
  /** The one adb server of this machine. */
  adb: AdbServer;
  /** What devices over ssh made of the last sign-ins. */
  sshSignIns: SshSignIns;
  /** Where the host keys of devices over ssh are remembered. */
  stateDir: string;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Where the kernel shows attached devices; `/sys` by default. */
  sysfs?: string;
  /** Where tasks look for the device that they reach by ssh; `/tmp/ssh_machine.json` by default. */
  sshMachineFile?: string;
}

/** The adb server: started when it is needed, one for all, restarted when it is wedged. */
export interface AdbServer {
  /** @throws CommandFailed */
  ensure(signal: AbortSignal): Promise<void>;
  /** It runs, and does not respond as it should. Asked twice: one that is only slow is not wedged. */
  isWedged(signal: AbortSignal): Promise<boolean>;
  /** Ends it, by force where it must be, and starts it again. @throws CommandFailed */
  restart(signal: AbortSignal): Promise<void>;
  /** Ends it if it is ours. */
  stop(): Promise<void>;
}

export type OpenDevice = (device: AttachedDevice, deps: DeviceDeps) => Device;

/** What is known of a device now. `unknown`: not read yet; that is not "missing". */
export interface DeviceView {
  name: string;
  fullName: string;
  /** As in rack.yaml, or what was found where that has `auto`. */
  kind: DeviceKind;
  state: 'unknown' | 'present' | 'missing';
  /** Of that state. */
  since: Date;
  /** When it was last looked at. */
  readAt?: Date | undefined;
  /** Why it is missing. */
  why?: string | undefined;
  /** The last one that there was; of a device that is missing, it is old. */
  reading?: DeviceReading | undefined;
}
