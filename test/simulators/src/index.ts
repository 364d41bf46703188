export { type CliDevice, cliFaults } from './equipment/cli/core.ts';
export { type EdgeSwitchOptions, startEdgeSwitch } from './equipment/cli/edge-switch.ts';
export { makeSshKey } from './equipment/cli/host-key.ts';
export type { CliOptions, SignInMethod } from './equipment/cli/model.ts';
export {
  type DeviceFault,
  deviceFaults,
  Faults,
  OutletBoard,
  type OutletChange,
  type SimulatedDevice,
  type SimulatedOutlet,
  type Told,
} from './equipment/device.ts';
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
