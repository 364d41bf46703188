/** Everything except configurations that must survive this process, in memory and in the journal. */
import { BackupRun, FailureClass, LostHistory, RunEquipment, RunResult, Time } from '@skolo/api';
import type { Version } from '@skolo/backup';
import { Tables } from '@skolo/base/durable';
import { partOf } from '@skolo/equipment/models/configuration';
import { z } from 'zod';

/** What identifies a version without its content. */
const KnownVersion = z.object({ id: z.string(), time: Time, sha1: z.string().optional() });
export type KnownVersion = z.output<typeof KnownVersion>;

export function knownOf({ id, time, sha1 }: Pick<Version, 'id' | 'time' | 'sha1'>): KnownVersion {
  return { id, time, sha1 };
}

/** What is known about a device. Its versions are in the history. */
export const DeviceRecord = z.object({
  name: z.string(),
  model: z.string(),
  /** By the wall clock at that time. */
  lastAttempt: Time.optional(),
  lastSuccess: Time.optional(),
  lastRun: z.string().optional(),
  lastResult: RunResult.optional(),
  /** Of the last attempt; absent: it succeeded. */
  failure: FailureClass.optional(),
  detail: z.string().optional(),
  /** Consecutive failed attempts. */
  failures: z.int(),
  seconds: z.number().optional(),
  unsaved: z.boolean().optional(),
  /** The last that it said about that. */
  extent: z.union([z.enum(['whole', 'unknown']), z.object({ part: z.string() })]).optional(),
  /** Why the last reading did not show everything, or whether it did, without secrets. What it did not show is as before. */
  unseen: z.string().optional(),
  /** Why nothing shows that the last reading is a configuration, and not a message. */
  doubt: z.string().optional(),
  /** The version that it would boot with, if that is a different configuration. */
  startup: z.string().optional(),
  /** Of ssh, when it was last read; absent: not read over ssh. */
  legacyAlgorithms: z.array(z.string()).optional(),
  /** Seen when it was first read; a different one means a different device. */
  identity: z
    .object({
      serial: z.string().optional(),
      members: z.array(z.string()).optional(),
      hostname: z.string().optional(),
    })
    .optional(),
  /** Fingerprint of a suspiciously small reading: a person who gets the same again means it. */
  suspect: z.string().optional(),
  /** What the history contained when the device was last read, to detect a lost history. */
  newest: KnownVersion.optional(),
  versions: z.int().optional(),
  /** When it left rack.yaml. */
  retiredAt: Time.optional(),
});
export type DeviceRecord = z.output<typeof DeviceRecord>;

/** A device's versions that were in a history that no longer exists. */
const LostRecord = LostHistory.omit({ equipment: true }).extend({
  device: z.string(),
  newest: KnownVersion,
  unsent: z.array(KnownVersion),
});
export type LostRecord = z.output<typeof LostRecord>;

/** In the history, the journal and the list of host keys, what the API calls equipment is a device. */
export function asEquipment<T extends { device: string }>({ device: equipment, ...rest }: T) {
  return { equipment, ...rest };
}

const RunEntry = RunEquipment.omit({ equipment: true }).extend({ device: z.string() });
export type RunEntry = z.output<typeof RunEntry>;

/** Written when it begins and when it ends. Results in between are in the devices' records. */
export const RunRecord = BackupRun.omit({ equipment: true }).extend({
  devices: z.array(RunEntry),
  /** Incremented: the order of requests, independent of the wall clock. */
  number: z.int(),
});
export type RunRecord = z.output<typeof RunRecord>;

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
  readonly lost = this.table('lost', LostRecord, ({ device }) => device);

  /** Why a version is only a part of the configuration. If its content was read again, the last reading counts. */
  partialOf({ device, id, partial }: Pick<Version, 'device' | 'id' | 'partial'>) {
    const { newest, extent } = this.devices.get(device) ?? {};
    return newest?.id === id ? partOf(extent) : partial;
  }

  /** Makes the next reading pin its identity again. Returns whether one was pinned. @throws StorageUnavailable */
  async forgetIdentity(device: string): Promise<boolean> {
    const record = this.devices.get(device);
    if (record?.identity === undefined) return false;
    await this.write([this.devices.put({ ...record, identity: undefined })]);
    return true;
  }
}
