/** Secrets, where they are, and how to sign in with them, as values. */
export type { AccountCredentials, SourceCredentials } from './account.ts';
export {
  agentKeyFault,
  agentPublicKey,
  newAgentKey,
  parseAgentPublicKey,
  readAgentKey,
} from './agent-key.ts';
export {
  type Credentials,
  readCredentials,
  type SnmpCredentials,
  secretsOf,
  valuesIn,
} from './credentials.ts';
export { fileStamp } from './file-stamp.ts';
export { type Login, type SecretRef, usualSignInSeconds } from './login.ts';
export { isSafeForSecrets } from './safe-url.ts';
export {
  checkSecretFile,
  readSecret,
  Secret,
  SecretError,
  secretPath,
} from './secret.ts';
export { SecretFile, SecretFormatError } from './secret-file.ts';
