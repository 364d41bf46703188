/**
 * The contract of backups: how a model's configuration is read, what verifies that it is complete, which lines change without a new
 * configuration, which are secret, and how it is restored. The service decides when to read, and where versions are kept.
 */
import type { DeviceConnection } from '@skolo/equipment/transports';
import type { Device } from './device.ts';

/** What a model exports as `backup`. */
export type CreateBackup = (device: Device) => BackupModel;

export interface BackupModel {
  /** `tar`: many files of a device, as one archive. */
  format: 'text' | 'tar';
  /** Reads the whole configuration. @throws DeviceError */
  read(connection: DeviceConnection): Promise<Reading>;
  /**
   * What verifies that a configuration is complete. `mark`: its last line. `transfer`: sizes or checksums of the protocol. `twice`: a
   * second reading, equal except for volatile lines.
   */
  verifiedBy: 'mark' | 'transfer' | 'twice';
  /** Whether the content has the size that the device reports, so that no second reading is needed. */
  isExact?: ((content: Content) => boolean) | undefined;
  /** The saved configuration in the form of the running one, for devices that show it with different first lines. */
  startupLike?: ((content: Buffer, startup: Buffer) => Buffer) | undefined;
  /** Lines that may be log messages on a terminal. A line is removed only if a second reading lacks it. */
  messages?: readonly RegExp[] | undefined;
  /** Why the content is not complete: `its last line is not "end"`. Undefined: it is complete. */
  incomplete(content: Content): string | undefined | Promise<string | undefined>;
  /** Why nothing shows that the content is a configuration, although it is not incomplete. Absent: `incomplete` requires what shows it. */
  doubt?: ((content: Content) => Promise<string | undefined>) | undefined;
  /** Lines that change without an edit, such as timestamps. In a `tar`, they apply to each text file. */
  volatile: readonly LineRule[];
  /** Secrets of this model. `commonSecrets` are masked too. */
  secrets: readonly SecretRule[];
  restore: Restore;
}

/** A configuration in memory, or a large one in a file that the caller removes. */
export type Content = { bytes: Buffer } | { file: string; size: number };

export interface Reading {
  content: Content;
  /** Identifies the device, not its place in the rack. */
  identity: Identity;
  /** The saved configuration, which the device boots with. Undefined: the device has only one, or does not show it. */
  startup?: Buffer | undefined;
  /** Who last changed the configuration, as the device reports. */
  changedBy?: string | undefined;
  /** Absent: devices of this model do not say. */
  extent?: Extent | undefined;
  /** Why the device did not answer everything else: what is missing above may be there. Absent: it answered. */
  unseen?: string | undefined;
}

/**
 * How much of its configuration the device showed to the login, which no begin, end or size shows. `part`: the reason, without secrets.
 * `unknown`: devices of this model usually say, but this one did not.
 */
export type Extent = 'whole' | 'unknown' | { part: string };

export interface Identity {
  /** Of the device, or of a stack's member that answers for it. */
  serial?: string | undefined;
  /** Serial numbers of all members, if it is a stack. */
  members?: readonly string[] | undefined;
  /** The name in its configuration, not in its prompt. */
  hostname?: string | undefined;
}

/** A line, or all lines between two. */
export type LineRule = RegExp | { from: RegExp; until: RegExp };

/**
 * A secret in a line: its groups are masked, or the whole match if it has no group. `unless` excludes secrets behind a text that it matches.
 * `from` and `until` mask all lines between two. A line that `continues` is one with the next, so that a secret may extend over both.
 */
export type SecretRule = LineRule | { secret: RegExp; unless: RegExp } | { continues: RegExp };

interface Restore {
  /** Begins a comment in text for this device: `!`. */
  comment: string;
  /** What an operator types, in text that the device accepts. */
  steps(content: Buffer, about: RestoreAbout): RestoreStep[];
  /**
   * Asks the device whether it accepts the version, and changes nothing. Without `accepted`, this session cannot ask, for the reason in
   * `said`. @throws DeviceError
   */
  check?(
    connection: DeviceConnection,
    content: Buffer,
  ): Promise<{ accepted?: boolean; said: string }>;
  /**
   * Loads and saves the version. A session that dies midway cannot leave the device unreachable.
   *
   * @param step receives each completed step
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
  /** Id of the version. */
  id: string;
  /** Time of the version, RFC 3339. */
  time: string;
}

export interface RestoreStep {
  /** What it does. */
  title: string;
  /** Where the operator types the lines. */
  where: 'equipment' | 'workstation';
  lines: string[];
}
