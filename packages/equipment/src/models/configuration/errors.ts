import { NamedError } from '@skolo/base';

/** An error of a stored configuration. The message says where. */
export class BackupError extends NamedError {
  /**
   * - `not-found`: there is no such equipment or version.
   * - `no-key`: it is encrypted, and none of the given identities decrypts it.
   * - `damaged`: its content is wrong.
   * - `unauthenticated`: anyone may have made it.
   * - `unreachable`: the location does not respond. `rejected`: it refuses.
   * - `storage`: the disk cannot store it.
   */
  readonly code:
    | 'not-found'
    | 'no-key'
    | 'damaged'
    | 'unauthenticated'
    | 'unreachable'
    | 'rejected'
    | 'storage';

  constructor(code: BackupError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
