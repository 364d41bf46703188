/** The secrets of a rack: names, kinds, users and locations, but never values. */
export {
  k3sTokenFile,
  type RackSecret,
  rackSecrets,
  type SecretFilePlace,
  type SecretKey,
  type SecretKind,
  secretPlace,
} from './inventory.ts';
