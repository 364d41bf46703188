/** Errors of an image or an SD card. The message says what to do. */
export class PiError extends Error {
  override readonly name = 'PiError';
}
