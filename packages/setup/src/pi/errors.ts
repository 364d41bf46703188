/** A failure with an image or a card. The message says what to do. */
export class PiError extends Error {
  override readonly name = 'PiError';
}
