/** The secrets of a rack: names, kinds, users and places, never values. */
export {
  k3sTokenFile,
  type RackSecret,
  rackSecrets,
  type SecretFilePlace,
  type SecretKey,
  type SecretKind,
} from './inventory.ts';
