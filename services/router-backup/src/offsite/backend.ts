/** What sends versions to a destination off site. */
import type { GitMirror } from '@skolo/backup';
import { errorText } from '@skolo/base';
import type { Versions } from '../history/versions.ts';
import type { UploadRecord } from './queue.ts';

export interface Backend {
  /**
   * Sends the first of the waiting versions, or all.
   *
   * @returns those that have arrived, and were read back
   * @throws DeviceBlocked, VersionGone; other errors concern the whole destination
   */
  send(waiting: readonly UploadRecord[], signal: AbortSignal): Promise<readonly UploadRecord[]>;
  /** Removes old copies, once a day. Proves as well that the destination works. */
  prune(signal: AbortSignal): Promise<void>;
  pruneAfterSending: boolean;
}

/** What is stored in the rack. */
export type LocalVersions = Pick<
  Versions,
  'inHistory' | 'inArchives' | 'list' | 'contentToFile' | 'archive' | 'isArchived'
>;

/** A version of one device cannot be sent now; those of other devices can. */
export class DeviceBlocked extends Error {
  readonly device: string;

  constructor(device: string, cause: unknown) {
    super(errorText(cause), { cause });
    this.name = 'DeviceBlocked';
    this.device = device;
  }
}

/** A version is no longer in the rack, so it can never be sent. */
export class VersionGone extends Error {
  readonly record: UploadRecord;

  constructor(record: UploadRecord, cause: unknown) {
    super(errorText(cause), { cause });
    this.name = 'VersionGone';
    this.record = record;
  }
}

/**
 * A git remote: one push sends all waiting versions.
 *
 * @param open the mirror with the key as it is now
 */
export function gitBackend(open: () => Promise<Pick<GitMirror, 'push'>>): Backend {
  const push = async (signal: AbortSignal) => void (await (await open()).push(signal));
  return {
    pruneAfterSending: false,
    async send(waiting, signal) {
      // A version is in the history before it waits.
      const sent = [...waiting];
      await push(signal);
      return sent;
    },
    /** Pushes commits that are not versions: retired devices. */
    prune: push,
  };
}
