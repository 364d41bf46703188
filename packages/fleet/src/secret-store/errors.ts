import { NamedError } from '@skolo/base';

/** A store error. The message says what, where, and what to do, without values. */
export class StoreError extends NamedError {
  readonly code: string = 'STORE';
}

/** The given value is not valid for a secret. */
export class ValueRejected extends StoreError {
  override readonly code = 'VALUE_REJECTED';
}
