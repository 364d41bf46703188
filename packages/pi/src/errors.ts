/** A failure with an image or a card. The message says what to do. */
export class PiError extends Error {
  readonly code: /** What a machine is to be is not valid. */
    | 'SETUP'
    /** The image is damaged, or is none that skolo knows. */
    | 'IMAGE'
    /** A base image cannot be had, or is not the one that its publisher made. */
    | 'BASE'
    /** The card cannot be written, or must not. */
    | 'CARD';

  constructor(code: PiError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PiError';
    this.code = code;
  }
}
