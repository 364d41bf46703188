/** Errors of a computer, or of the connection to it, with their codes. */
import { NamedError } from '@skolo/base';

interface Options extends ErrorOptions {
  code?: /** The connection dropped. Everything may be run again. */
    | 'LOST'
    /** A file is not the publisher's, or cannot be downloaded. */
    | 'FILE';
}

/** A failure on a computer or while connecting to it. The message says what to do. */
export class ComputerError extends NamedError {
  readonly code: Options['code'];

  constructor(message: string, options: Options = {}) {
    super(message, options);
    this.code = options.code;
  }
}
