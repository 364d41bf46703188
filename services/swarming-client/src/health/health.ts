/** Types of a machine's health: its verdict, and the reasons for which it does not get tasks. */
import type { MachinePart } from '@skolo/rack/machine-part';
import type { DeviceView } from '../devices/device.ts';
import type { HostReading } from '../host/sensors.ts';

/**
 * From best to worst. `recovering` and `maintenance` end without an operator, and wake no operator: Swarming receives them as
 * `maintenance`. `quarantined` needs attention.
 */
export const verdicts = ['ok', 'recovering', 'maintenance', 'quarantined'] as const;
export type Verdict = (typeof verdicts)[number];

/** Kinds of problems, as metrics show them. `npm run generate` writes them into prometheus.yml. */
export const reasonKinds = [
  'battery-low',
  'bot-not-started',
  'bot-restart',
  'clock-off',
  'disk-low',
  'forced',
  'held',
  'host-fault',
  'host-hot',
  'hot',
  'maintenance',
  'missing',
  'needs-attention',
  'needs-person',
  'not-back',
  'not-known',
  'not-listed',
  'not-ready',
  'rack-yaml',
  'rebooting',
  'set-by-hand',
  'stopping',
  'thermal-status',
  'throttled',
  'under-voltage',
] as const;
type ReasonKind = (typeof reasonKinds)[number];
/** With what differs between problems of a kind: a sensor, or the person who holds what. */
export type ReasonCode = ReasonKind | `${ReasonKind}:${string}`;

export interface Reason {
  verdict: Exclude<Verdict, 'ok'>;
  /** The kind of problem, without its figures: `battery-low`, `missing`, `hot:battery`. */
  code: ReasonCode;
  /** For people, with the current figures. */
  text: string;
  since: Date;
  /** Name of the device on the machine; absent: the machine itself. */
  device?: string | undefined;
}

export interface Health {
  /** The worst of the reasons. */
  verdict: Verdict;
  since: Date;
  /** Worst first. */
  reasons: readonly Reason[];
}

/** One line for Swarming and for people: `phone: battery low: 12%; held by ann: new cable`. Empty if everything is well. */
export function healthText({ reasons }: Health): string {
  return reasons
    .map(({ device, text }) => (device === undefined ? text : `${device}: ${text}`))
    .join('; ');
}

/** An operator works on a target, and nothing may touch it: see the power-cycle daemon. */
export interface Hold {
  /** The machine, one of its devices by its full name, or something that they depend on: a switch, the rack. */
  target: string;
  by: string;
  until: Date;
  reason: string;
}

/** What people order for the machine: through machine-state, or with the file that quarantines it. */
export interface Ordered {
  kind: 'maintenance' | 'quarantine';
  by: string;
  reason: string;
  since: Date;
  until?: Date | undefined;
}

/** Everything that the machine's health is assessed from. */
export interface HealthFacts {
  now: Date;
  devices: readonly DeviceView[];
  host: HostReading;
  holds: readonly Hold[];
  /** Active now. */
  orders: readonly Ordered[];
  /** Why nothing is known yet, for people: "not known yet: …". */
  notReady?: string | undefined;
  /** The agent is ending. */
  stopping: boolean;
  taskRunning: boolean;
  /** The bot must stop once its task has ended, and why. */
  botRestart?: string | undefined;
  /** Devices that are rebooting after a task, by name, and since when. */
  rebooting: ReadonlyMap<string, Date>;
  /** Devices that did not come back from it, and since when. */
  notBack: ReadonlyMap<string, Date>;
  /** Devices that repair has given up on, by name, and why. */
  givenUp: ReadonlyMap<string, string>;
}

/** packages/rack/src/schema/settings/swarming-client.ts has the defaults. */
export type HealthSettings = Pick<
  MachinePart['swarming'],
  'thresholds' | 'deviceModels' | 'host' | 'afterTask'
>;
