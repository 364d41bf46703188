/** What can go wrong with what is stored. Messages say where. */
export class BackupError extends Error {
  /**
   * - `not-found`: there is no such device or version.
   * - `no-key`: it is encrypted, and no identity given opens it.
   * - `damaged`: it is not what it should be.
   * - `unreachable`: the place does not respond. `rejected`: it says no.
   * - `storage`: the disk does not take it.
   */
  readonly code: 'not-found' | 'no-key' | 'damaged' | 'unreachable' | 'rejected' | 'storage';

  constructor(code: BackupError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackupError';
    this.code = code;
  }
}
