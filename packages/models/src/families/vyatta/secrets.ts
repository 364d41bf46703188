/** What is secret in a configuration of EdgeOS or VyOS, in both of its forms. */
import type { SecretRule } from '../../contract/backup.ts';

const value = String.raw`("(?:[^"\\]|\\.)+"|'[^']+'|[^\s{"']\S*)`;
/** A leaf that ends so has a secret for its value: `encrypted-password`, `pre-shared-secret`, `md5-key`. */
const leaf = String.raw`[\w-]*(?:password|passwd|passphrase|secret|psk)|(?:[\w-]+-)?(?<!public-)key`;

export const vyattaSecrets: readonly SecretRule[] = [
  new RegExp(String.raw`(?:^|\s)(?:${leaf}) ${value}\s*$`),
  // A name that is the secret itself: of SNMP, not of BGP.
  // Behind a sign where two configurations are compared.
  new RegExp(String.raw`^[+>-]?\s*community ${value} \{$`),
  new RegExp(`^set service snmp community ${value}`),
  // Of a URL: where configurations are archived, lists are fetched.
  /[a-z0-9+.-]:\/\/[^\s/:@]*:([^\s/]+)@/i,
  // As crypt(3) writes them, wherever they are.
  /(\$(?:[1-9]|2[abxy]|y|gy|sha1)\$[^\s"';]+)/,
];
