/** Errors of stored configurations. Messages say where. */
export class BackupError extends Error {
  /**
   * - `not-found`: there is no such equipment or version.
   * - `no-key`: it is encrypted, and none of the given identities decrypts it.
   * - `damaged`: its content is wrong.
   * - `unreachable`: the location does not respond. `rejected`: it refuses.
   * - `storage`: the disk cannot store it.
   */
  readonly code: 'not-found' | 'no-key' | 'damaged' | 'unreachable' | 'rejected' | 'storage';

  constructor(code: BackupError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackupError';
    this.code = code;
  }
}
