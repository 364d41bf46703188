/** All that the health of a machine is judged by. */
import type { MachineSlice } from '@skolo/rack/slice';
import type { DeviceView } from '../devices/device.ts';
import type { HostReading } from '../host/host-reading.ts';

/** Somebody works on a target, and nothing may be done to it: see the power-cycle daemon. */
export interface Hold {
  /** The machine, one of its devices by its full name, or what is above them: a switch, the rack. */
  target: string;
  by: string;
  until: Date;
  reason: string;
}

export interface HealthFacts {
  now: Date;
  devices: readonly DeviceView[];
  host: HostReading;
  holds: readonly Hold[];
  /** From the file that quarantines a machine. */
  forced?: { text: string; since: Date };
  /** Why nothing is known yet, for people: "not known yet: …". */
  notReady?: string;
  /** The agent was told to end. */
  stopping: boolean;
  /** The bot is to restart once its task has ended, and why. */
  botRestart?: string;
  /** Devices that reboot after a task, by name, and since when. */
  rebooting: ReadonlyMap<string, Date>;
  /** Devices that did not come back from that, and since when. */
  notBack: ReadonlyMap<string, Date>;
  /** Devices that repair has given up on, by name, and why. */
  needsHands: ReadonlyMap<string, string>;
}

export type HealthSettings = Pick<
  MachineSlice['swarming'],
  'thresholds' | 'deviceModels' | 'host' | 'afterTask'
>;
