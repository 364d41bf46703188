/** Sign-in to Google. google-auth-library (13 MB) is loaded only by what needs it. */
export { credentialFaults, credentialFileFault } from './credential-file.ts';
export { fetchGoogleKeys, googleCertsUrl } from './google-keys.ts';
export { verifyIdToken } from './id-token.ts';
export { serviceAccountKey } from './service-account-key.ts';
export {
  defaultSignIn,
  keyFileSignIn,
  metadataSignIn,
  noSignIn,
  type SignIn,
  serviceAccountSignIn,
} from './sign-in.ts';
export { SignInError } from './sign-in-error.ts';
export type { IssuedToken, TokenSource } from './source.ts';
export { tokenSource } from './token-source.ts';
