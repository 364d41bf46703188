/** What the journal keeps: what is known of each device, runs, and how far the schedule has been honoured. */
import { BackupRun, DeviceResult, FailureClass, type RunDevice, Time } from '@skolo/api';
import { z } from 'zod';

/** A version, as far as it can be told from others without its content. */
const KnownVersion = z.object({ id: z.string(), time: Time, sha1: z.string().exactOptional() });
export type KnownVersion = z.output<typeof KnownVersion>;

/** What is known of a device. Its versions are in the history. */
export const DeviceRecord = z.object({
  name: z.string(),
  model: z.string(),
  /** By the wall clock of then. */
  lastAttempt: Time.exactOptional(),
  lastSuccess: Time.exactOptional(),
  lastRun: z.string().exactOptional(),
  lastResult: DeviceResult.exactOptional(),
  /** Of the last attempt; absent: it succeeded. */
  failure: FailureClass.exactOptional(),
  detail: z.string().exactOptional(),
  /** Attempts in a row that failed. */
  failures: z.int(),
  seconds: z.number().exactOptional(),
  unsaved: z.boolean().exactOptional(),
  /** Version of what it would boot with, where that is another configuration. */
  startup: z.string().exactOptional(),
  /** Of ssh, when it was last read; absent: not read over ssh. */
  legacyAlgorithms: z.array(z.string()).exactOptional(),
  /** Seen when it was first read; another one means another device. */
  identity: z
    .object({ serial: z.string().exactOptional(), hostname: z.string().exactOptional() })
    .exactOptional(),
  /** Fingerprint of what was suspiciously small: who asks for it by hand and gets the same means it. */
  suspect: z.string().exactOptional(),
  /** What the history had when it was last read: how a history that was lost is noticed. */
  newest: KnownVersion.exactOptional(),
  versions: z.int().exactOptional(),
  /** When it had left rack.yaml. */
  retiredAt: Time.exactOptional(),
});
export type DeviceRecord = z.output<typeof DeviceRecord>;

/** Versions of a device that were in a history which is no longer there. */
export const LostRecord = z.object({
  device: z.string(),
  /** When it was noticed. */
  since: Time,
  /** Absent: the journal does not know. */
  versions: z.int().exactOptional(),
  newest: KnownVersion.exactOptional(),
  /** Those that had not arrived in any place off site. */
  unsent: z.array(KnownVersion),
});
export type LostRecord = z.output<typeof LostRecord>;

/** Written when it begins and when it ends; what came of a device in between is in the record of the device. */
export const RunRecord = BackupRun.extend({
  /** Counts up: the order in which they were asked for, whatever the wall clock says. */
  number: z.int(),
});
export type RunRecord = z.output<typeof RunRecord>;
export type RunEntry = z.output<typeof RunDevice>;

/** One of a kind. */
export const MarkRecord = z.object({
  name: z.literal('schedule'),
  /** The local minute up to which the schedule has been honoured. */
  seen: z.number(),
});
export type MarkRecord = z.output<typeof MarkRecord>;
