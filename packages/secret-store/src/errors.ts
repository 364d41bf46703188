/** Errors of stores. None has a value, or what an encrypted file says once it is open. */

export type StoreErrorCode =
  /** The store is not set up, or its settings are wrong. */
  | 'STORE_UNUSABLE'
  /** None of the identities of this desk opens the file. */
  | 'STORE_LOCKED'
  /** A file is damaged, or was changed by hand. */
  | 'STORE_DAMAGED'
  /** The store cannot change values. */
  | 'STORE_READ_ONLY'
  /** What was given is no value of a secret. */
  | 'VALUE_REJECTED';

/** The message says what, where, and what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
