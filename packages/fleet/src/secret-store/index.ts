/** Values of secrets on a workstation: stores, generation, and a check that git does not contain unencrypted ones. */
export { StoreError } from './errors.ts';
export { installHook } from './repository/hook.ts';
export { verifyRepository } from './repository/verify.ts';
export { openStore, type StorePlace, storeFolder } from './stores/open-store.ts';
export { openSops, sealSops } from './stores/sops-file.ts';
export type { SecretStore } from './stores/store.ts';
export { generatedKinds, generateValue } from './values/generate.ts';
export { secretFrom } from './values/value.ts';
