/**
 * What is known of a model for its backup: what to ask, what a complete configuration looks like, what in it changes by
 * itself, what is secret, and how it gets back into a device. One file for each model; how it is spoken to is a dialect
 * of `@skolo/equipment`, when and where to is the service's.
 */
import type { DeviceConnection } from '@skolo/equipment';
import type { Device } from './device.ts';
import { models } from './index.ts';

/** What `backup.ts` of a model exports. */
export type CreateBackup = (device: Device) => BackupModel;

/** The backups of all models that can be backed up, by the name of the model. */
export async function loadBackups(): Promise<ReadonlyMap<string, CreateBackup>> {
  const backups = new Map<string, CreateBackup>();
  for (const { name, backup } of models.values()) {
    if ('load' in backup) backups.set(name, (await backup.load()).backup);
  }
  return backups;
}

export interface BackupModel {
  /** As in rack.yaml. */
  name: string;
  /** `tar`: many files of a device, as one archive. */
  format: 'text' | 'tar';
  /**
   * Asks the device for all of it.
   *
   * @throws DeviceError of `@skolo/equipment`
   */
  read(connection: DeviceConnection): Promise<Reading>;
  /**
   * What proves that nothing is missing. `mark`: the text itself, by its end. `transfer`: the way in which it came tells
   * sizes or checksums. `twice`: it is read twice, and both are equal but for what changes by itself.
   */
  proof: 'mark' | 'transfer' | 'twice';
  /** Whether it has exactly the size that the device reports, which proves it without a second reading. */
  isExact?(content: Content): boolean;
  /** What it would boot with in the form of the content, where the device shows it with other lines in front. */
  startupLike?(content: Buffer, startup: Buffer): Buffer;
  /** Lines that may be log messages, where it comes over a terminal. What looks like one is only taken out with a proof. */
  messages?: readonly RegExp[];
  /** Why this cannot be a whole configuration, for people: `its last line is not "end"`. Undefined: it is whole. */
  incomplete(content: Content): string | undefined;
  /** Lines that change by themselves. Of a `tar`, in each of its text files. */
  volatile: readonly RegExp[];
  /** What is masked, besides what is secret in most configurations. */
  secrets: readonly SecretRule[];
  restore: Restore;
}

/** A configuration: in memory, or, where it may be large, in a file of the caller's. */
export type Content = { bytes: Buffer } | { file: string; size: number };

export interface Reading {
  content: Content;
  /** What the device says it is. Only what belongs to the device, not to the place that it is at. */
  identity: Identity;
  /** What it would boot with, as the device shows it; absent: the device keeps but one, or does not show it. */
  startup?: Buffer;
  /** What the device itself says about who changed it last. */
  changedBy?: string;
}

export interface Identity {
  serial?: string;
  /** As its configuration says, not its prompt. */
  hostname?: string;
}

/**
 * A line with a secret in it: what the groups match is masked, or the whole match where there is none. With `until`,
 * all lines behind the first one up to the one that matches `until`. With `unless`, not in lines that match that.
 */
export type SecretRule =
  | RegExp
  | { secret: RegExp; unless: RegExp }
  | { from: RegExp; until: RegExp };

export interface Restore {
  /** What begins a comment in text for this device: `!`. */
  comment: string;
  /** How it is done by hand, in text that the device accepts. */
  steps(content: Buffer, about: RestoreAbout): RestoreStep[];
  /**
   * Asks the device whether it would take it, and changes nothing. Without `accepted`: there is no way to ask it as it
   * is reached now; `said` tells why.
   *
   * @throws DeviceError
   */
  check?(
    connection: DeviceConnection,
    content: Buffer,
  ): Promise<{ accepted?: boolean; said: string }>;
  /**
   * Loads it, in a way that a session which dies half-way cannot leave the device cut off; and saves it.
   *
   * @param step told what is done, in order
   * @throws DeviceError
   */
  apply?(
    connection: DeviceConnection,
    content: Buffer,
    step: (text: string) => void,
  ): Promise<void>;
}

export interface RestoreAbout {
  device: Device;
  /** Of the version. */
  id: string;
  /** RFC 3339, of the version. */
  time: string;
}

export interface RestoreStep {
  /** What it does, for people. */
  title: string;
  /** Where the lines are typed. */
  where: 'device' | 'desk';
  lines: string[];
}
