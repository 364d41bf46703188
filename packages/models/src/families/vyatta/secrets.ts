/** Secrets in a configuration of EdgeOS or VyOS, in both of its forms. */
import type { SecretRule } from '../../contract/backup.ts';

const value = String.raw`("(?:[^"\\]|\\.)+"|'[^']+'|[^\s{"']\S*)`;
/** A leaf with one of these endings has a secret value: `encrypted-password`, `pre-shared-secret`, `md5-key`. */
const leaf = String.raw`[\w-]*(?:password|passwd|passphrase|secret|psk)|(?:[\w-]+-)?(?<!public-)key`;

export const vyattaSecrets: readonly SecretRule[] = [
  new RegExp(String.raw`(?:^|\s)(?:${leaf}) ${value}\s*$`),
  // A name that is itself a secret: SNMP communities, but not BGP's. After a sign in a comparison of two configurations.
  new RegExp(String.raw`^[+>-]?\s*community ${value} \{$`),
  new RegExp(`^set service snmp community ${value}`),
  // In URLs, from which lists are fetched and to which configurations are archived.
  // In crypt(3)'s format, anywhere.
];
