import { NamedError } from '@skolo/base';

/** A failure with an image or an SD card. The message says what to do. */
export class PiError extends NamedError {}
