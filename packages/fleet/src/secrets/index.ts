/** `@skolo/fleet/secrets`: compares a rack's secrets with the store and delivers them to its services. */
export { applySecrets, compareSecrets, type SecretsDeps } from './apply.ts';
export { type Place, type PlaceState, placeTitle } from './places.ts';
export { withPrivateFile } from './private-file.ts';
