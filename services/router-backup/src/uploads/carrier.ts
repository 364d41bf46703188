/** What carries versions to a place off site, and what may keep them from leaving. */
import type { Version } from '@skolo/backup';
import type { UploadRecord } from './records.ts';

export interface Carrier {
  /**
   * Sends the first of what waits, or all of it.
   *
   * @returns what has arrived, and was read back
   * @throws HeldBack, Lost; anything else is the matter of the whole place
   */
  send(waiting: readonly UploadRecord[], signal: AbortSignal): Promise<readonly UploadRecord[]>;
  /** Once a day. Proves as well that the place is there. */
  tidy(signal: AbortSignal): Promise<void>;
  /** Whether it is to be tidied after something was sent, too. */
  tidyAfterSending: boolean;
}

/** What is stored in the rack. All methods throw BackupError. */
export interface LocalVersions {
  devices(): Promise<string[]>;
  /** The newest first. */
  list(device: string, limit?: number): Promise<Version[]>;
  /** The content as it is, to a file that is not there yet. */
  contentToFile(version: Version, file: string): Promise<void>;
  /** Of a device whose versions are archives, compressed and encrypted already: the file. Undefined: it is none. */
  archive(version: Version): Promise<{ path: string } | undefined>;
  isArchived(device: string): boolean;
}

/** One device’s version cannot leave now; the others may. */
export class HeldBack extends Error {
  readonly device: string;

  constructor(device: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'HeldBack';
    this.device = device;
  }
}

/** A version that is no longer in the rack will never leave it. */
export class Lost extends Error {
  readonly record: UploadRecord;

  constructor(record: UploadRecord, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'Lost';
    this.record = record;
  }
}
