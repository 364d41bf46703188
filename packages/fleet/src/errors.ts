/** What the desk can do about a failure. */
export type FleetErrorCode =
  /** The file of racks is not there. */
  | 'NO_CLUSTERS'
  | 'UNKNOWN_RACK'
  | 'RACK_EXISTS'
  /** ssh or gcloud is not installed. */
  | 'NO_PROGRAM'
  /** No way to the rack works. */
  | 'UNREACHABLE'
  /** The host key is not the one in known_hosts. */
  | 'HOST_KEY'
  /** ssh accepts none of the user's keys. */
  | 'NO_KEY'
  /** The user may not run kubectl on the jumphost. */
  | 'NO_ACCESS'
  /** It is not the jumphost that the last replacement has named. */
  | 'RETIRED'
  | 'API_DOWN'
  /** The rack is there, and its Prometheus does not say how it is. */
  | 'NO_PROMETHEUS'
  | 'TOKEN_REJECTED'
  | 'CLOCK'
  /** The rack does not have what was written. */
  | 'UNEXPECTED'
  /** The repository of racks is not as it must be. */
  | 'REPOSITORY'
  /** An image is missing, or is not to be used. */
  | 'IMAGE'
  /** Another push holds the rack. */
  | 'LOCKED'
  /** The plan of a push is refused. */
  | 'REFUSED'
  /** A gate of a push did not open. */
  | 'GATE';

/** A failure between the desk and a rack, or of a push. The message says what to do. */
export class FleetError extends Error {
  readonly code: FleetErrorCode;

  constructor(code: FleetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FleetError';
    this.code = code;
  }
}
