import { sha256 } from '@skolo/base';

/** The interface of a source of versions: the rack's own history, a git remote, a bucket, a directory. */
export interface BackupSource {
  /** Path of a git repository, valid until `close`. */
  repository?: {
    dir: string;
    branch: string;
    decrypt: ((content: Buffer) => Promise<Buffer>) | undefined;
    /** Called before a file of a version is used. @throws BackupError `unauthenticated` */
    admit: (path: string, id: string) => void;
  };
  /** Names of the devices that have versions, sorted. */
  devices(): Promise<string[]>;
  /** The newest first. */
  versions(device: string, options?: { limit?: number }): Promise<Version[]>;
  /**
   * Exactly the bytes read from the device.
   *
   * @throws BackupError It is missing, cannot be decrypted, does not match its name, or must not be used (`unauthenticated`).
   */
  content(version: Version): Promise<Buffer>;
  /** Writes the content of any size to a new file, mode 0600. Absent in git, which has no archives. @throws BackupError */
  contentToFile?(version: Version, file: string): Promise<void>;
  close(): Promise<void>;
}

/** One version of the configuration of a device. */
export interface Version {
  /** Id of the commit, or name of the object. See {@link shownId}. */
  id: string;
  device: string;
  /** RFC 3339, when it was read; the day of an object whose time is not known. */
  time: string;
  /** Size in bytes as read from the device; absent if only an encrypted copy's size is known. */
  size?: number | undefined;
  /** Size of the text with masked secrets; absent if it was not measured. */
  shownSize?: number | undefined;
  /** SHA-1 of the content, in hex. Weak secrets can be guessed from it, so only people who may read them may see it. */
  sha1?: string | undefined;
  /** Random, in hex, and as secret as `sha1`: without it, `id` could be computed from the content. Absent in older versions. */
  nonce?: string | undefined;
  /** `sha1` and `nonce` in an encrypted copy, in base64. */
  sealed?: string | undefined;
  model?: string | undefined;
  run?: string | undefined;
  by?: string | undefined;
  reason?: string | undefined;
  changedBy?: string | undefined;
  /** Why it is only a part of the configuration: the device did not show all of it. */
  partial?: string | undefined;
  /** How rack.yaml described the equipment, as JSON, if no model knows it. */
  description?: string | undefined;
  /** An archive without the machine history, which an older archive contains. */
  isPartial?: true;
  /** First line of the commit. */
  summary?: string | undefined;
}

/**
 * The ID to show to people who must not see secrets. Commits of earlier releases have no nonce, so their IDs could be computed from guessed
 * content; this one consists of facts that are shown anyway.
 */
export function shownId({ id, nonce, device, time }: Version): string {
  const isGuessable = nonce === undefined && /^[0-9a-f]{40}$/.test(id);
  return isGuessable ? sha256(`${device} ${time}`).slice(0, id.length) : id;
}
