/** What is secret in a configuration of IOS. Descriptions and remarks may say `password` without telling one. */
import type { SecretRule } from '../backup.ts';

/** `7 0822455D0A16`, `0 plain`, or the secret alone. */
const value = String.raw`(?:\d{1,2} )?(\S+)`;

export const ciscoIosSecrets: readonly SecretRule[] = [
  new RegExp(String.raw`^enable (?:secret|password)(?: level \d+)? ${value}`),
  // `username admin privilege 15 secret 9 $9$…`; of lines, of ppp, of neighbors of BGP.
  new RegExp(String.raw`^username .*?\b(?:secret|password) ${value}`),
  new RegExp(String.raw`^\s*password ${value}\s*$`),
  new RegExp(
    String.raw`^\s*(?:ip ftp|ip tftp|vtp|ip http client|wlccp .*|mode .*) password ${value}`,
  ),
  new RegExp(String.raw`^\s*ppp (?:chap|pap|eap) (?:.*\s)?password ${value}`),
  new RegExp(String.raw`^\s*neighbor \S+ password ${value}`),
  new RegExp(String.raw`^\s*(?:isis password|area-password|domain-password) ${value}`),
  // SNMP: communities, also those that traps are sent with; users of version 3.
  /^snmp-server community (\S+)/,
  /^snmp-server host \S+(?: vrf \S+)?(?: (?:traps|informs))?(?: version (?:1|2c|3(?: (?:auth|noauth|priv))?))? (?!traps|informs|version|vrf)(\S+)/,
  /^snmp-server (?:user|engineID) .*?\bauth \S+ (\S+)/,
  /^snmp-server user .*?\bpriv (?:aes|des|3des)(?: \d+)? (\S+)/,
  // RADIUS and TACACS+, in one line or in a block of a server.
  new RegExp(String.raw`^(?:tacacs|radius)-server (?:.*\s)?key ${value}`),
  new RegExp(String.raw`^\s+(?:server-)?key (?!\d+\s*$|chain)${value}\s*$`),
  new RegExp(String.raw`^\s+pac key ${value}`),
  new RegExp(String.raw`^\s*(?:client|server-private) \S+ (?:.*\s)?(?:server-)?key ${value}`),
  // IPsec.
  new RegExp(`^crypto isakmp key ${value}`),
  new RegExp(
    String.raw`^\s*pre-shared-key (?:local |remote |address \S+(?: \S+)? key |hostname \S+ key |hex )*${value}`,
  ),
  new RegExp(String.raw`^\s*key-(?:string|octet|config-key password-encrypt) ${value}`),
  // Routing and redundancy protocols.
  new RegExp(String.raw`^\s*ip ospf (?:authentication-key|message-digest-key \d+ md5) ${value}`),
  new RegExp(String.raw`^\s*area \S+ virtual-link .*?(?:authentication-key|md5) ${value}`),
  new RegExp(
    String.raw`^\s*(?:standby|vrrp|glbp) .*?authentication (?:text |md5 key-string )?(?!md5 key-chain|text\b)${value}`,
  ),
  new RegExp(String.raw`^\s*ip (?:rip|nhrp) authentication (?:key )?(?!mode|key-chain)${value}`),
  /^ntp authentication-key \d+ \S+ (\S+)/,
  // Wireless.
  new RegExp(String.raw`^\s*wpa-psk (?:ascii|hex) ${value}`),
  new RegExp(String.raw`^\s*(?:security wpa .*|encryption .*|set-key) (?:ascii|hex) ${value}`),
  // In URLs: archives, enrolment, downloads.
  /[a-z0-9+.-]:\/\/[^\s/:@]*:([^\s/]+)@/i,
  // As it hashes them, wherever they are.
  /(\$(?:1|5|6|8|9|14)\$[^\s"]+)/,
  // Certificates and keys, line by line.
  { from: /^\s*certificate (?!.*nvram:)/, until: /^\s*quit\s*$/ },
  { from: /^-----BEGIN /, until: /^-----END / },
];
