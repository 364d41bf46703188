/** Errors of a connection to a rack, or of a push, with their codes. */
import { NamedError } from '@skolo/base';

interface Options extends ErrorOptions {
  code?: /** The file of racks is not there. */
    | 'NO_CLUSTERS'
    | 'UNKNOWN_RACK'
    /** The rack is reachable, but its Prometheus cannot report its health. */
    | 'NO_PROMETHEUS';
}

/** A failed connection to a rack, or a failed push. The message says what to do. */
export class FleetError extends NamedError {
  readonly code: Options['code'];

  constructor(message: string, options: Options = {}) {
    super(message, options);
    this.code = options.code;
  }
}
