/** An error of a store. The message says what, where, and what to do, and has no value. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string = 'STORE';
}

/** What was given is no value of a secret. */
export class ValueRejected extends StoreError {
  override readonly code = 'VALUE_REJECTED';
}
