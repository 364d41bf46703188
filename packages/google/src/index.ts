/** Sign-in to Google. google-auth-library (13 MB) is loaded only when required. */
export { credentialFaults } from './credential-faults.ts';
export { credentialFileFault, credentialFileKind } from './credential-file.ts';
export {
  defaultKeyFault,
  defaultSignIn,
  keyFileSignIn,
  metadataSignIn,
  noSignIn,
  type SignIn,
  serviceAccountSignIn,
} from './sign-in.ts';
export { SignInError } from './sign-in-error.ts';
export { serviceAccountKey } from './sources/service-account-key.ts';
export type { IssuedToken, TokenSource } from './sources/source.ts';
export { tokenSource } from './token-source.ts';
export { fetchGoogleKeys, googleCertsUrl } from './verify/google-keys.ts';
export { verifyIdToken } from './verify/id-token.ts';
