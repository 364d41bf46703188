/** Lists the places to which a rack's secrets are delivered, and decides whether each contains the store's value. */
import { sha256 } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import type { RackSecret, SecretFilePlace, SecretKey } from '@skolo/rack/secrets';

export type PlaceState =
  | 'same'
  | 'different'
  /** The place has no value. */
  | 'missing'
  /** The store has no value, but the place has one that was created manually. */
  | 'only-there'
  /** Neither has a value. */
  | 'unset'
  /** The unit of this file is not installed. */
  | 'not-installed';

interface PlaceOf<At> {
  secret: RackSecret;
  at: At;
  state: PlaceState;
}
export type KeyPlace = PlaceOf<SecretKey>;
export type FilePlace = PlaceOf<SecretFilePlace>;
export type Place = KeyPlace | FilePlace;

/** For people: `Secret skolo/router-backup key switch`, or a path on the jumphost. */
export function placeTitle({ at }: Place): string {
  if ('key' in at) return `Secret ${at.namespace}/${at.secret} key ${at.key}`;
  return at.variable === undefined ? at.path : `${at.path} variable ${at.variable}`;
}

/** @param there digest of the value at the place. It stays in this process: a short password could be guessed from it. */
export function stateOf(value: Secret | undefined, there: string | undefined): PlaceState {
  if (value === undefined) return there === undefined ? 'unset' : 'only-there';
  if (there === undefined) return 'missing';
  return sha256(value.reveal()) === there ? 'same' : 'different';
}
