/** Where versions can be got from: the rack's own history, a git remote, a bucket, a directory. */
export interface BackupSource {
  /** Of a git repository: where it is, until `close`. */
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
   * Byte for byte what the device gave.
   *
   * @throws BackupError It is not there, cannot be decrypted, or is not what its name says.
   */
  content(version: Version): Promise<Buffer>;
  close(): Promise<void>;
}

/** One version of the configuration of a device. */
export interface Version {
  /** Of the commit, or the name of the object. */
  id: string;
  device: string;
  /** RFC 3339, when it was read; of an object whose time is not known, its day. */
  time: string;
  /** Bytes as the device gave them; absent where only the size of an encrypted copy is known. */
  size?: number | undefined;
  /** Of the content, in hex. */
  sha1?: string | undefined;
  model?: string | undefined;
  run?: string | undefined;
  by?: string | undefined;
  reason?: string | undefined;
  changedBy?: string | undefined;
  /** First line of the commit. */
  summary?: string | undefined;
}
