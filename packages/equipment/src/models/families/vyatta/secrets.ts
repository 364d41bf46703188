/** Secrets in a configuration of EdgeOS or VyOS, in both of its forms. */
import type { SecretRule } from '../../contract/backup.ts';

/** To the end of its line: in quotes of either kind, which may contain others, or one word. */
const value = String.raw`(?!["']?AAAA[BCEG])(["'].*|[^\s{"']\S*)`;
/** A leaf with one of these endings has a secret value: `encrypted-password`, `pre-shared-secret`, `md5-key`. */
const leaf = String.raw`[\w-]*(?:password|passwd|passphrase|secret|psk)|(?:[\w-]+-)?(?<!public[- ])key`;

export const vyattaSecrets: readonly SecretRule[] = [
  new RegExp(String.raw`(?:^|\s)(?:${leaf}) ${value}\s*$`),
  // A name that is itself a secret: SNMP communities, but not BGP's. After a sign in a comparison of two configurations.
  new RegExp(String.raw`^[+>-]?\s*community ${value} \{$`),
];
