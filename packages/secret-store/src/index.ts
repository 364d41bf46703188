/** Values of secrets on a workstation: where they are kept, how they are made, and a check that none is in git in the clear. */
export { StoreError } from './errors.ts';
export { filesInGit } from './repository/git.ts';
export { installHook } from './repository/hook.ts';
export { type Finding, verifyRepository } from './repository/verify.ts';
export { openStore, type StorePlace } from './stores/open-store.ts';
export { openSops, sealSops, sopsHeader } from './stores/sops-file.ts';
export { recipientsFor } from './stores/sops-rules.ts';
export { sopsSuffix } from './stores/sops-store.ts';
export type { SecretStore } from './stores/store.ts';
export { generatedKinds, generateValue } from './values/generate.ts';
export { secretFrom } from './values/value.ts';
