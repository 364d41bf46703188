/** What the desk can do about a push that did not happen. */
export type PushErrorCode =
  /** The repository of racks is not as it must be. */
  | 'REPOSITORY'
  /** An image is missing, or is not to be used. */
  | 'IMAGE'
  /** Another push holds the rack. */
  | 'LOCKED'
  /** The plan is refused. */
  | 'REFUSED'
  /** A gate did not open. */
  | 'GATE';

/** A failure of a push. The message says what to do. */
export class PushError extends Error {
  readonly code: PushErrorCode;

  constructor(code: PushErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PushError';
    this.code = code;
  }
}
