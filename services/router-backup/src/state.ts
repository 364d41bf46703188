/** Everything but the configurations that must survive this process, in memory and in the journal. */
import {
  BackupRun,
  DeviceResult,
  FailureClass,
  LostHistory,
  type RunDevice,
  Time,
} from '@skolo/api';
import type { Version } from '@skolo/backup';
import { Tables } from '@skolo/durable';
import { z } from 'zod';

/** A version, as far as it is identified without its content. */
const KnownVersion = z.object({ id: z.string(), time: Time, sha1: z.string().optional() });
export type KnownVersion = z.output<typeof KnownVersion>;

export function knownOf({ id, time, sha1 }: Pick<Version, 'id' | 'time' | 'sha1'>): KnownVersion {
  return { id, time, sha1 };
}

/** What is known of a device. Its versions are in the history. */
export const DeviceRecord = z.object({
  name: z.string(),
  model: z.string(),
  /** By the wall clock of then. */
  lastAttempt: Time.optional(),
  lastSuccess: Time.optional(),
  lastRun: z.string().optional(),
  lastResult: DeviceResult.optional(),
  /** Of the last attempt; absent: it succeeded. */
  failure: FailureClass.optional(),
  detail: z.string().optional(),
  /** Attempts in a row that failed. */
  failures: z.int(),
  seconds: z.number().optional(),
  unsaved: z.boolean().optional(),
  /** Version of what it would boot with, where that is another configuration. */
  startup: z.string().optional(),
  /** Of ssh, when it was last read; absent: not read over ssh. */
  legacyAlgorithms: z.array(z.string()).optional(),
  /** Seen when it was first read; another one means another device. */
  identity: z.object({ serial: z.string().optional(), hostname: z.string().optional() }).optional(),
  /** Fingerprint of what was suspiciously small: a person who gets the same again means it. */
  suspect: z.string().optional(),
  /** What the history had when it was last read: how a history that was lost is noticed. */
  newest: KnownVersion.optional(),
  versions: z.int().optional(),
  /** When it had left rack.yaml. */
  retiredAt: Time.optional(),
});
export type DeviceRecord = z.output<typeof DeviceRecord>;

/** Versions of a device that were in a history which is no longer there, as the API shows them. */
export type LostRecord = LostHistory;

/** Written when it begins and when it ends. Results in between are in the records of the devices. */
export const RunRecord = BackupRun.extend({
  /** Counts up: the order in which they were asked for, independent of the wall clock. */
  number: z.int(),
});
export type RunRecord = z.output<typeof RunRecord>;
export type RunEntry = z.output<typeof RunDevice>;

export const MarkRecord = z.object({
  name: z.literal('schedule'),
  /** The local minute up to which the schedule has been followed. */
  seen: z.number(),
});
export type MarkRecord = z.output<typeof MarkRecord>;

export class State extends Tables {
  readonly devices = this.table('device', DeviceRecord, ({ name }) => name);
  readonly runs = this.table('run', RunRecord, ({ id }) => id);
  readonly marks = this.table('mark', MarkRecord, ({ name }) => name);
  readonly lost = this.table('lost', LostHistory, ({ device }) => device);

  /** The next reading pins its identity again. Returns whether one was pinned. @throws StorageUnavailable, JournalDown */
  async forgetIdentity(device: string): Promise<boolean> {
    const record = this.devices.get(device);
    if (record?.identity === undefined) return false;
    await this.write([this.devices.put({ ...record, identity: undefined })]);
    return true;
  }
}
