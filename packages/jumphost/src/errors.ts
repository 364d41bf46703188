/** A failure on a jumphost. The message says what to do. */
export class JumphostError extends Error {
  readonly code: /** A step failed. */
    | 'STEP'
    /** The connection dropped. Everything may be run again. */
    | 'LOST'
    /** A change was taken back, because nobody could get in after it. */
    | 'TAKEN_BACK'
    /** A file is not the one that its publisher made, or is not to be had. */
    | 'FILE';

  constructor(code: JumphostError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JumphostError';
    this.code = code;
  }
}
