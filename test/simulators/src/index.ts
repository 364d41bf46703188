export type { RefreshGrant, SubjectGrant } from './google-oauth/accounts.ts';
export type { Call, Endpoint } from './google-oauth/calls.ts';
export {
  type Fault,
  type FaultKind,
  type FaultOptions,
  faultKinds,
} from './google-oauth/faults.ts';
export type { IssuedToken } from './google-oauth/ledger.ts';
export {
  type GoogleOAuth,
  type GoogleOAuthOptions,
  startGoogleOAuth,
} from './google-oauth/server.ts';
export {
  makeServiceAccountKey,
  type ServiceAccountKey,
} from './google-oauth/service-account-key.ts';
export { type PeerName, peer } from './peer.ts';
