/** Sends versions to an off-site destination, and says whether a failure concerns one device or the destination. */
import type { GitMirror } from '@skolo/backup';
import { errorText, NamedError } from '@skolo/base';
import type { Versions } from '../history/versions.ts';
import type { WaitingCopy } from './queue.ts';

export interface Backend {
  /**
   * Sends the first waiting version, or all.
   *
   * @returns those that have arrived and were read back
   * @throws DeviceBlocked, VersionGone; other errors concern the whole destination
   */
  send(waiting: readonly WaitingCopy[], signal: AbortSignal): Promise<readonly WaitingCopy[]>;
  /** Removes old copies, once a day. Also proves that the destination works. */
  prune(signal: AbortSignal): Promise<void>;
  pruneAfterSending: boolean;
}

/** What is stored in the rack. */
export type LocalVersions = Pick<
  Versions,
  'inHistory' | 'inArchives' | 'list' | 'contentToFile' | 'archive' | 'isArchived'
>;

/** A version of one device cannot be sent now; those of other devices can. */
export class DeviceBlocked extends NamedError {
  readonly device: string;

  constructor(device: string, cause: unknown) {
    super(errorText(cause), { cause });
    this.device = device;
  }
}

/** A version is no longer in the rack, so it can never be sent. */
export class VersionGone extends NamedError {
  readonly record: WaitingCopy;

  constructor(record: WaitingCopy, cause: unknown) {
    super(errorText(cause), { cause });
    this.record = record;
  }
}

/**
 * A git remote: one push sends all waiting versions.
 *
 * @param open opens the mirror with the current key
 */
export function gitBackend(open: () => Promise<Pick<GitMirror, 'push'>>): Backend {
  const push = async (signal: AbortSignal) => void (await (await open()).push(signal));
  return {
    pruneAfterSending: false,
    async send(waiting, signal) {
      // A version is in the history before it is queued.
      const sent = [...waiting];
      await push(signal);
      return sent;
    },
    /** Pushes commits that are not versions: retired devices. */
    prune: push,
  };
}
