/** Where versions can be read from: the rack's own history, a git remote, a bucket, a directory. */
export interface BackupSource {
  /** Path of a git repository, valid until `close`. */
  repository?: {
    dir: string;
    branch: string;
    decrypt: ((content: Buffer) => Promise<Buffer>) | undefined;
  };
  /** Names of the devices that have versions, sorted. */
  devices(): Promise<string[]>;
  /** The newest first. */
  versions(device: string, options?: { limit?: number }): Promise<Version[]>;
  /**
   * Exactly the bytes read from the device.
   *
   * @throws BackupError It is missing, cannot be decrypted, or does not match its name.
   */
  content(version: Version): Promise<Buffer>;
  close(): Promise<void>;
}

/** One version of the configuration of a device. */
export interface Version {
  /** Id of the commit, or name of the object. */
  id: string;
  device: string;
  /** RFC 3339, when it was read; the day of an object whose time is not known. */
  time: string;
  /** Size in bytes as read from the device; absent if only an encrypted copy's size is known. */
  size?: number | undefined;
  /** SHA-1 of the content, in hex. */
  sha1?: string | undefined;
  model?: string | undefined;
  run?: string | undefined;
  by?: string | undefined;
  reason?: string | undefined;
  changedBy?: string | undefined;
  /** First line of the commit. */
  summary?: string | undefined;
}
