interface Options extends ErrorOptions {
  code?: /** The connection dropped. Everything may be run again. */
    | 'LOST'
    /** A file is not the one that its publisher made, or is not to be had. */
    | 'FILE';
}

/** A failure on a jumphost. The message says what to do. */
export class JumphostError extends Error {
  override readonly name = 'JumphostError';
  readonly code: Options['code'];

  constructor(message: string, options: Options = {}) {
    super(message, options);
    this.code = options.code;
  }
}
