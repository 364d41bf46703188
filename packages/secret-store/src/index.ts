/** Values of secrets at a desk: where they are kept, how they are made, and a check that none is in git in the clear. */
export { StoreError } from './errors.ts';
export { generatedKinds, generateValue } from './generate.ts';
export { filesInGit } from './git.ts';
export { installHook } from './hook.ts';
export { openStore, type StorePlace } from './open-store.ts';
export { openSops, sealSops, sopsHeader } from './sops-file.ts';
export { recipientsFor } from './sops-rules.ts';
export { sopsSuffix } from './sops-store.ts';
export type { SecretStore } from './store.ts';
export { secretFrom } from './value.ts';
export { type Finding, verifyRepository } from './verify.ts';
