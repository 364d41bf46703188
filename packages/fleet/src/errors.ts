/** What the desk can do about a failure. */
export type FleetErrorCode =
  /** The file of racks is not there. */
  'NO_CLUSTERS' | 'UNKNOWN_RACK';

/** A failure between the desk and a rack. The message says what to do. */
export class FleetError extends Error {
  readonly code: FleetErrorCode;

  constructor(code: FleetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FleetError';
    this.code = code;
  }
}
