interface Options extends ErrorOptions {
  code?: /** The file of racks is not there. */
    | 'NO_CLUSTERS'
    | 'UNKNOWN_RACK'
    /** The rack is there, and its Prometheus does not say how it is. */
    | 'NO_PROMETHEUS';
}

/** A failure between the workstation and a rack, or of a push. The message says what to do. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: Options['code'];

  constructor(message: string, options: Options = {}) {
    super(message, options);
    this.code = options.code;
  }
}
