/** `@skolo/fleet/secrets`: secrets of a rack, compared with the store and brought to where services read them. */
export { applySecrets, compareSecrets, type SecretsDeps } from './apply.ts';
export { type Place, type PlaceState, placeTitle } from './places.ts';
export { withPrivateFile } from './private-file.ts';
