/** Configurations as bytes and text: archives, comparison, masking of secrets. */
export { limits } from '@skolo/equipment/transports/limits';
export { commonSecrets } from './common-secrets.ts';
export { BackupError } from './errors.ts';
export { createMask, isBlock, isContinued, isInLine, type Mask } from './mask.ts';
export { whyMessage } from './message-like.ts';
export { partOf, whyPartial, whyUnknown } from './partial.ts';
export { fingerprintOf, isSame, textOf, withoutVolatile } from './text.ts';
