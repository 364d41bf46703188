/** The interface of devices attached to the machine. Each kind has a file next to this one. */

import type { RunCommand } from '@skolo/base/run-command';
import type { Logger } from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { SshSignIns } from './ssh-sign-ins.ts';

/** A device as the machine's part of rack.yaml describes it. */
export type AttachedDevice = MachinePart['devices'][number];
export type DeviceKind = AttachedDevice['kind'];

/** Texts by key, as in Swarming. */
export type Dimensions = Readonly<Record<string, readonly string[]>>;

/** The result of reading a device that is present. Unknown values are absent. */
export interface DeviceReading {
  /** Its kind, if rack.yaml leaves that open (`auto`). */
  kind?: DeviceKind | undefined;
  dimensions: Dimensions;
  serial?: string | undefined;
  /** 0 to 100. */
  batteryPercent?: number | undefined;
  /** Whether it reports being powered by a cable. */
  charging?: boolean | undefined;
  /** The reported age of its USB connection: a device that lost its power has a younger one. */
  connectedSeconds?: number | undefined;
  /** °C, by sensor name. */
  temperatures: Readonly<Record<string, number>>;
  /** Those inside a processor: they are warm whenever it works. */
  processorSensors?: readonly string[] | undefined;
  /** Android's thermal status: 0 none … 3 severe … 6 shutdown (PowerManager.THERMAL_STATUS_*). */
  thermalStatus?: number | undefined;
  /** Seconds since it booted. */
  uptimeSeconds?: number | undefined;
  /** It has booted and is ready for a task; absent: unknown. */
  isReady?: boolean | undefined;
  /** Why it is not ready, although it has booted. */
  whyNotReady?: string | undefined;
  /** Figures that it could not be asked for, rather than figures that it does not have: the last ones stay. */
  unread?: { battery: boolean; heat: boolean } | undefined;
  /** Values that somebody has set, so that they are not measured. */
  setByHand?: { battery: boolean; thermalStatus: boolean } | undefined;
}

/**
 * The result of one reading. `why` is for people: "offline", "unauthorized: accept the key on its screen".
 *
 * - `missing`: devices were listed without it, or it cannot be used; `needs-person`: only a person can change that, and no restart can
 * - `host-fault`: a program that reads it cannot be run here, which no repair of the device can change
 * - `not-listed`: devices could not be listed
 * - `rack-yaml`: its entry in rack.yaml does not fit what is attached, which no repair of the device can change
 */
export type Look =
  | { state: 'present'; reading: DeviceReading }
  | { state: 'missing'; code?: 'needs-person' | undefined; why: string }
  | { state: 'unknown'; code: 'host-fault' | 'not-listed' | 'rack-yaml'; why: string };

export type DeviceRepair = 'adb-reconnect' | 'adb-restart' | 'device-reboot';

/** A device that can be read. No operation waits longer than the settings allow. */
export interface Device {
  /** Only throws the signal's reason: any error is a result. */
  read(signal: AbortSignal): Promise<Look>;
  /**
   * Repair steps, each for the kinds that have it. `device-reboot` is also used after a task.
   *
   * @throws CommandFailed, or an Error with the reason.
   */
  repairs: Partial<Record<DeviceRepair, (signal: AbortSignal) => Promise<void>>>;
  /**
   * Keeps evidence of its problem: a screenshot, its last log. Returns the names of the files.
   *
   * @param folder exists, and is empty
   */
  writeEvidence?(folder: string, signal: AbortSignal): Promise<string[]>;
  /** Writes its screen to a file, as PNG if the device supports it. @throws CommandFailed, or an Error with the reason. */
  writeScreen?: ((path: string, signal: AbortSignal) => Promise<void>) | undefined;
}

/** The current settings that a device needs. */
export interface DeviceSettings {
  /** Time-out of one command of adb or libimobiledevice, in seconds. */
  commandSeconds: number;
  ssh: { user: string; port: number; privateKey?: string | undefined; commandSeconds: number };
}

export interface DeviceDeps {
  run: RunCommand;
  settings: () => DeviceSettings;
  /** This machine's only adb server. */
  adb: AdbServer;
  /** All devices of this machine in rack.yaml. */
  attached: () => readonly AttachedDevice[];
  /** Results of the last sign-ins to devices over ssh. */
  sshSignIns: SshSignIns;
  /** Where the host keys of devices over ssh are stored. */
  stateDir: string;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Where the kernel shows attached devices; `/sys` by default. */
  sysfs?: string;
  /** Where tasks look up the device that they reach by ssh; `/tmp/ssh_machine.json` by default. */
  sshMachineFile?: string;
}

/** The adb server: started when needed, one for all, restarted when wedged. */
export interface AdbServer {
  /** @throws CommandFailed */
  ensure(signal: AbortSignal): Promise<void>;
  /** It runs, but does not respond as it should. Checked twice: one that is only slow is not wedged. */
  isWedged(signal: AbortSignal): Promise<boolean>;
  /** Ends it, by force if necessary, and restarts it. @throws CommandFailed */
  restart(signal: AbortSignal): Promise<void>;
  /** Ends it if it is ours. */
  stop(): Promise<void>;
}

export type OpenDevice = (device: AttachedDevice, deps: DeviceDeps) => Device;

/** What is known about a device now. `unknown`: not read yet, or it cannot be read (`code`), which does not mean "missing". */
export interface DeviceView {
  name: string;
  fullName: string;
  /** As in rack.yaml, or the detected one for `auto`. */
  kind: DeviceKind;
  state: 'unknown' | 'present' | 'missing';
  /** Of that state. */
  since: Date;
  /** When it was last read. */
  readAt?: Date | undefined;
  /** Why it is missing, or cannot be read. */
  why?: string | undefined;
  /** What decides about its repair: why its state is unknown although it was read, or that only a person can restore it. */
  code?: Exclude<Look, { state: 'present' }>['code'];
  /** The last one, with the last figures of this device; for a missing device, it is old. */
  reading?: DeviceReading | undefined;
  /** When the battery level and the oldest of the temperatures were read: before `readAt` if that has failed since. */
  batteryAt?: Date | undefined;
  heatAt?: Date | undefined;
  /** As `readAt`, in seconds since this machine's boot, by which ages are measured. */
  readUptime?: number | undefined;
  /** When it was first read as not ready; absent: it is ready. */
  notReadyUptime?: number | undefined;
}

/** Whether a figure is of an earlier reading than the last. */
export function isOld(at: Date | undefined, { readAt }: Pick<DeviceView, 'readAt'>): boolean {
  return at !== undefined && at.getTime() !== readAt?.getTime();
}
