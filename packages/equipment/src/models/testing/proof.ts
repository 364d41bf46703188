/** What a model's tests are made with. The `proof.ts` of its directory exports one; the suites of all models find it by the list. */

import type { Dialect } from '@skolo/equipment/transports';
import type { CliDevice, CliOptions, ConfiguredDevice } from '@skolo/simulators';
import type { OutletReading } from '../contract/outlets.ts';
import type { RealDevice, SimulatedBackup, SimulatedOptions } from './backed-up.ts';
import type { CliSetup } from './cli.ts';
import type { Setup } from './http.ts';
import type { SnmpSetup } from './snmp.ts';

export interface ModelProof {
  /** Its simulated command line. */
  start?(options: SimulatedOptions): Promise<ConfiguredDevice>;
  /** What it says about itself. */
  reported?: {
    /** Absent: its simulator says it while its configuration is read. */
    text?: string;
    hardware?: string;
    firmware: string;
  };
  hosts?: PluggedIn;
  /** What its backup is tried with, if it can be backed up. */
  backup?: SimulatedBackup | RealDevice;
  /** Its restore, if its simulator replays a session of one. */
  replays?: ReplayedRestore;
  /** How its outlets are tried with faults. */
  outlets?: readonly TriedOutlets[];
  /** Devices whose answers are data, if it switches power: one for each transport whose answers differ. */
  answering?: readonly AnsweringDevice[];
  /** What is on the other side in its tests, for TESTED.md. */
  testedWith: Partial<Record<TestedPart, string>>;
  /** What of the outputs of real equipment its tests read, or why they read none. */
  recorded: readonly string[] | { no: string };
}

/** A simulated device, one of its outlets, and names that none of them has. */
export type TriedOutlets = {
  outlet: string;
  others: readonly string[];
  /** What it says of a short circuit, which it must not take for an outlet with nothing plugged in. */
  short?: string;
} & (
  | { over: 'http'; setup: Setup }
  | { over: 'snmp'; setup: SnmpSetup }
  | { over: 'cli'; setup: CliSetup }
);

/** A session in which the restore of this configuration was typed. */
export interface ReplayedRestore {
  dialect: Dialect;
  configuration: string;
  /** The first line of that session. */
  begin: string;
  /** Typed before it, to sign in. */
  before?: readonly string[];
}

/** Machines at the ports of a simulated device. */
export interface PluggedIn {
  /** Ports of the three machines, then one with nothing plugged in. */
  ports: readonly [string, string, string, string];
  /** Where it knows addresses. */
  knows: readonly ('arp' | 'lease' | 'address')[];
  /** It has no MAC table. */
  isRouter?: boolean;
  options?: Record<string, unknown>;
  /** Older firmware, which prints other tables. */
  older?(options: CliOptions): Promise<CliDevice>;
}

/** What a device that switches power answers, and which part of that belongs to the outlet. */
export type AnsweringDevice = Served & {
  options?: Record<string, unknown>;
  outlet: string;
  /** An outlet that is read together with it. */
  beside?: string;
  /** By a part of the request. */
  answers: Answers;
  /** Parts of the requests that switch it. */
  off: string;
  on: string;
  /** It is sent instead of `on` if nothing is known about the outlet. */
  onByDefault?: string;
  /** Why nothing is sent then. */
  staysOff?: string;
  /** What people reported: answers that differ, and the outlet's state. */
  alsoReads?: readonly { what: string; answers: Answers; as: Partial<OutletReading> }[];
};

export type Served =
  | { over: 'http' | 'mqtt' | 'snmp' }
  /** At this prompt, or in channels. */
  | { over: 'ssh'; prompt: string }
  /** In the PATH; the parts of the requests are arguments. */
  | { over: 'program'; program: string };

/** What it says, and the parts that belong to the outlet: of an object, paths; of a text, beginnings of lines, or whole ones with `$`. */
type Answers = Readonly<Record<string, readonly [says: unknown, ...own: string[]]>>;

export type TestedPart = 'outlets' | 'backups' | 'restores' | 'connected hosts';
