/** Secrets in most configurations, for devices without specific rules. Rather masks too much: a BGP community is taken for an SNMP one. */
import type { SecretRule } from '../contract/backup.ts';

/**
 * `users.1.password`, `_smtp_pass`, `wpa_psk`, `private-key`, `snmp-community`; not `password-encryption`, `public-key`,
 * `key-chain`, `send-community`, nor the `key 1` that names a key of a chain.
 */
const word = [
  String.raw`[\w.-]*(?:passw(?:or)?d|passphrase|pass-phrase|secret|psk|credentials?|token)`,
  String.raw`[\w.-]*[._-]p(?:ass|wd)`,
  String.raw`(?<!\b(?:set|match)\s)(?:(?:snmp-)?community(?:-name)?|[\w.]*_community)`,
  String.raw`(?:[\w.-]*[._-])?(?<!public[_-])key(?:-string|-hexadecimal|-octet-string)?(?<!(?<!\S\s+)key(?=\s+\d{1,10}\s*$))`,
  String.raw`[\w.-]*(?:auth|api|wep|wpa|private|shared|priv|encryption)key`,
].join('|');
/** Between the word and its value: blanks, `=`, `: `, `": "`. */
const divider = String.raw`["']?(?:\s*[=:]\s*|\s+)`;
/** Before the value: its encoding, or whom it is for: `7`, `encrypted`, `level 15`, `option 1 for ACL`. */
const kind = String.raw`(?:(?:\d{1,2}|level \d+|option \d+ for \S+|fallback|encrypted|unencrypted|hashed|md5|sha\d*|sha\d*-password|hmac-\S+|ascii|ascii-text|hex|hexadecimal|plain(?:text)?|clear(?:text)?|auto|text|string|enc|(?:irreversible-)?cipher|simple|hash|read|write|ro|rw|local|remote|password-encrypt|hidden|manager|operator|user-name \S+)\s+(?=\S))*`;
/** Words that follow such a keyword, but are not secret. */
const others = String.raw`(?!["']?\d+:\d+\b|(?:ssh-\S+|ecdsa-\S+|required|enabled?|disabled?|yes|no|true|false|rollover|none|default mode|chain|key-chain|config-key|encryption|policy|strength-check|generate|zeroize|import|export|pubkey-chain|address|hostname|id|prompt)(?:\s|$)|(?:${word})${divider}\S)`;
const value = String.raw`(?:"((?:[^"\\]|\\.)+)|'([^']+)|([^\s"'{][^\s]*))`;
/** Statements with free text. */
const freeText =
  /^(?:\s*(?:[^\s=]+\s+){0,8}(?:description|remark|comment|title|location|contact|alias|sysname|hostname|clibanner)\s|[\w.]+\.name=)/i;

export const commonSecrets: readonly SecretRule[] = [
  {
    secret: new RegExp(String.raw`(?<![\w.-])(?:${word})${divider}${kind}${others}${value}`, 'i'),
    unless: freeText,
  },
  // With `=` or `:` it is a value, even in a comment.
  new RegExp(String.raw`(?<![\w.-])(?:${word})["']?\s*[=:]\s*${others}${value}`, 'i'),
  // SNMP: trap receivers and version 3 users.
  /^snmp-server host \S+(?: vrf \S+)?(?: (?:traps|informs))?(?: version (?:1|2c))? (?!traps|informs|version|vrf|use-vrf|community)(\S+)/,
  /\bauth (?:md5|sha\S*) (?:0x)?("[^"]*"|\S{8,})/,
  /\bpriv (?:des|3des|aes\S*(?: \d+)?) (?:0x)?("[^"]*"|\S{8,})/,
  /^snmp-server (?:mib )?community-map (\S+)/,
  // RIP, VRRP, HSRP, EIGRP.
  /\bauthentication (?:string|text) (?:\d )?(?!key-chain)(\S+)/,
  /\bauthentication mode hmac-sha-256 (?:\d )?(\S+)/,
  // `username:password@host`, as in variables of Cisco's event manager.
  /(?:^|[\s"'])[\w.%+-]+:([^\s:@"'/]+)@[\w.-]+/,
  // Of XML.
  new RegExp(String.raw`<(?:${word})(?:\s[^<>]*)?>([^<]+)<`, 'i'),
  // In crypt(3)'s format, and those of some vendors.
  /(\$(?:[0-9]|1|2[abxy]?|5|6|7|8|9|14|y|gy|sha1|md5)\$[^\s"';,:]+)/,
  // Of a URL.
  /[a-z0-9+.-]:\/\/[^\s/:@]*:([^\s/]+)@/i,
  /\b(?:bearer|basic)\s+([\w.~+/-]{8,}=*)/i,
  /\b(AGE-SECRET-KEY-1[0-9A-Z]+)/,
  // On one line, as in JSON.
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(.+)/,
  {
    from: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----\s*$/,
    until: /-----END [A-Z0-9 ]*PRIVATE KEY-----/,
  },
];
