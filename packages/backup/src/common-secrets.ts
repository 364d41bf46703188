/**
 * What is secret in most configurations, for devices of which nothing better is known. It rather masks too much: a BGP
 * community is taken for one of SNMP.
 */
import type { SecretRule } from './models/model.ts';

/** `users.1.password`, `wpa_psk`, `private-key`; not `password-encryption`, `public-key`, `key-chain`. */
const word = [
  String.raw`[\w.-]*(?:passw(?:or)?d|passphrase|pass-phrase|secret|community|psk|credentials?|token)`,
  String.raw`(?:[\w.-]*[._-])?(?<!public[_-])key(?:-string|-hexadecimal)?`,
  String.raw`[\w.-]*(?:auth|api|wep|wpa|private|shared|priv|encryption)key`,
].join('|');
/** Between the word and its value: blanks, `=`, `: `, `": "`. */
const divider = String.raw`["']?(?:\s*[=:]\s*|\s+)`;
/** How the value is written, in front of it: `7`, `encrypted`. */
const kind = String.raw`(?:(?:\d{1,2}|encrypted|hashed|md5|sha\d*|sha\d*-password|ascii|hex|plain(?:text)?|clear(?:text)?|auto|text|string)\s+(?=\S))*`;
const value = String.raw`(?:"((?:[^"\\]|\\.)+)|'([^']+)|([^\s"'{][^\s]*))`;

export const commonSecrets: readonly SecretRule[] = [
  new RegExp(String.raw`(?<![\w.-])(?:${word})${divider}${kind}${value}`, 'i'),
  // Of XML.
  new RegExp(String.raw`<(?:${word})(?:\s[^<>]*)?>([^<]+)<`, 'i'),
  // As crypt(3) and some vendors write them.
  /(\$(?:[0-9]|1|2[abxy]?|5|6|7|8|9|14|y|gy|sha1|md5)\$[^\s"';,:]+)/,
  // Of a URL.
  /[a-z0-9+.-]:\/\/[^\s/:@]*:([^\s/]+)@/i,
  /\b(?:bearer|basic)\s+([\w.~+/-]{8,}=*)/i,
  /\b(AGE-SECRET-KEY-1[0-9A-Z]+)/,
  // In one line, as JSON has it.
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(.+)/,
  {
    from: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----\s*$/,
    until: /-----END [A-Z0-9 ]*PRIVATE KEY-----/,
  },
];
