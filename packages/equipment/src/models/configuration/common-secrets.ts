/**
 * Decides what counts as a secret in the configurations of all models, and is masked. They are recognised by kind: a name such as
 * `password` and what follows it up to the end of its line, a value beside a field with such a name, keys in any form. Rather masks too
 * much: a BGP community is taken for an SNMP one.
 *
 * Compared with RANCID's modules, netconan's lists, and `remove_secret` of Oxidized's models.
 */
import type { SecretRule } from '../contract/backup.ts';

/**
 * `users.1.password`, `_smtp_pass`, `bindpw`, `wpa_psk`, `private-key`, `client-key-data`, `snmp-community`; not `password-encryption`,
 * `public-key`, `key-chain`, `send-community`, nor the `key 1` that names a key of a chain.
 */
const word = `(?:${[
  String.raw`[\w.-]*(?:(?<!\bno)passw(?:or)?d|pass-?phrase|passcode|secret|psk|credentials?|token|authtok|cak|pmk)`,
  String.raw`[\w.-]*[._-]p(?:ass|wd|w)`,
  String.raw`\w*(?:(?:bind|root|mod|admin)pw|(?:auth|priv)pwd|(?:proxy|require|ssh)pass|masterauth)`,
  String.raw`(?<!\b(?:set|match)\s)(?:(?:snmp-|r[ow])?community6?(?:-name|-string)?|[\w.]*_community)`,
  String.raw`(?:[\w.-]*[._-])?(?<!public[_ -])key(?:-string|-hexadecimal|-octet-string|-value|-data)?(?<!(?<!\S\s+)key(?=\s+\d{1,10}\s*$))`,
  String.raw`[\w.-]*(?:auth|api|wep|wpa|private|shared|priv|encryption|access|account)key`,
].join('|')})\\d?`;
/** A name in front of its value: `wpa_psk=`, `"password": `. */
const named = String.raw`(?<![\w.-])${word}["']?\s*[=:]\s*(?:\\\r?\n\s*)?`;

/** Words between the name and its value: whom it is for, its encoding. */
const kind = String.raw`(?:(?:level \d+|option \d+ for \S+|(?:address \S+(?: \S+)?|hostname \S+) key|user-name \S+|type \S+ value|\d+(?= (?:md5|sha|hmac|cmac|aes|hash))|fallback|(?:un)?encrypted|hashed|md5|sha\d*|sha\S*-password|hmac-\S+|[ac]mac-\S+|ascii|ascii-text|hex|hexadecimal|plain(?:text)?|clear(?:text)?|auto|text|string|enc|(?:irreversible-)?cipher|simple|hash|read|write|ro|rw|local|remote|config-key|password-encrypt|hidden|manager|operator|(?:auth|acct)(?: "?[\d.]+"?)?|ipaddr|ipmask|mode|view)\s+(?=\S))*(?:\d{1,2}[a-z]?\s+(?=\S))?`;
/** What may follow a value. Anything else belongs to it. */
const argument = String.raw`["']?[^\s"']{1,64}["']?`;
const behind = String.raw`(?:\s+(?:(?:level|level-|address|hostname|role|group|view|context|hash|use-acl|auth-port|acct-port|udp-port|port|id|authorization|network|client|priority|timeout|ipv6|mode|7)(?:(?<=level-)[12]| ${argument}){0,2}|r[ow](?: ${argument}){0,2}|(?:un)?restricted|operator|manager|encrypted|override|localizedkey|trusted|authentication|accounting|fallback|no-xauth)){0,4}\s*(?:\{|;(?:\s*## SECRET-DATA)?)?\s*$`;
/** A character, or one behind a backslash, even if the line continues between the two. */
export const quotedCharacter = String.raw`(?:\\(?:\\\r?\n\s*\S|(?!\\\r?\n)[^])|[^"\\])`;
const quoted = `"(${quotedCharacter}+)`;
const single = String.raw`'((?:'\\''|[^'])+)`;

/** Whole statements about secrets that contain none, such as those of PAM, public keys, and names of a secret in front of a better match. */
const harmless = String.raw`(?:(?:requisite|required|optional|sufficient|\[[^\]]{1,200}\])\s+\S{1,64}\.so\b|(?<=^passwd:\s{1,40})(?:files|compat)\b|(?<=^password\s{1,40})(?:include|substack)\s|(?:required|enabled?|disabled?|yes|no|true|false|rollover|none|encryption aes|strength-check)(?: for \S+)?\s*;?\s*$|(?:BLOCK|V\d)-{4,5}\s*$|default mode |id \S+ password |(?:\d )?size \d+bit |(?<=(?:^|ntp )\s*(?:server|peer) \S+(?: \S+){0,6} key )\d{1,5}\s*;?\s*$|(?<=pre-shared-key )key-chain \S+\s*$|(?<=\bkey\s)(?:chain \S+\s*$|(?:generate|zeroize|import|export|param) )|(?<=community\s)(?:["']?\d+:\d+\b|\S+ members )|[\w.@-]+ (?:id|secret|key|version) ["']|value ["']|\d+ key-string\s|(?<=(?:psk|shared-secret)\s)[\w.@-]+ \{\s*$|["']?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-|sk-(?:ssh|ecdsa)-|AAAA(?:B3Nz|C3Nz|E2Vj|G))|(?:password|passwd|secret|(?:[a-z]+-){0,3}key(?:-string)?)(?:\s+\S|["']?\s*[=:]))`;
/** In front of free text. */
const freeText =
  /^\s*(?:hostname|set clibanner)\s|^(?!\s*user)\s*(?:[^\s=]+\s+){0,8}(?:description|remark|comment|title|location|contact|alias|sysname)\s|^[\w.]+\.name=/i;

/** Names of fields that hold a name, and of those that hold its value. */
const naming = String.raw`["']?\b(?:name|key|id|option|environment|variable|param(?:eter)?)["']?(?:\s*[=:]\s*|\s+)`;
const beside = String.raw`["']?\b(?:value|content|data|string)["']?(?:\s*[=:]\s*|\s+)`;
const field = String.raw`(?:${quoted}|${single}|([^\s"'<>]\S*(?:[ \t]+(?![\w.-]{1,64}=)[^\s<>]+)*))`;
const nameOfSecret = String.raw`["']?${word}["']?(?![\w.=-])`;

/** Not of these kinds: certificates, public keys, parameters, encrypted messages. */
const begin = String.raw`-{4,5} ?BEGIN (?!(?:[\w ]*(?:CERTIFICATE|PUBLIC KEY)|X509 CRL|NEW CERT|\w+ PARAMETERS|PKCS7|CMS|PGP (?:MESSAGE|SIGNATURE|SIGNED)|AGE ENCRYPTED)\b)[\w ]+-{4,5}(?!-)`;

export const commonSecrets: readonly SecretRule[] = [
  // A line that ends with a backslash, and one with nothing but the name of a secret, whose value is on the next one.
  { continues: /\\$/ },
  {
    continues: new RegExp(
      String.raw`^[\s-]*(?:(?:option\s+)?${naming}${nameOfSecret}(?:,| \{)?|<\w+>${word}</\w+>)\s*$`,
      'i',
    ),
  },
  // Statements: `password 7 …`, `key "…"`.
  {
    secret: new RegExp(
      String.raw`(?<![\w.=,/:<-]|=["'])${word}["']?[ \t]+(?![=:])${kind}(?!${harmless}|\{\s*(?:$|\n))(?:${quoted}"(?=${behind})|${single}'(?=${behind})|(\S+(?:(?!${behind})\s+\S+)*)(?<!;))`,
      'i',
    ),
    unless: freeText,
  },
  // Assignments, even in a comment: the first of a line up to its end, others up to the next one.
  new RegExp(
    String.raw`^[\s#;!]*(?:export\s+|-\s+)?["']?${named}(?!${harmless})(?:${quoted}"\s*[,;]?\s*$|${single}'\s*[,;]?\s*$|(?![{[|>][+-]?\s*$)(\S.*))`,
    'i',
  ),
  new RegExp(
    String.raw`${named}(?!${harmless})(?:${quoted}|${single}|([^\s"'{[|>]\S*(?:\s+(?!--?\w|[\w.-]{1,64}=|\\\s*\n)\S+)*))`,
    'i',
  ),
  // Of YAML, in lines of its own.
  {
    from: new RegExp(String.raw`${named}[|>][+-]?\s*$`, 'i'),
    until: /^(?:\S|\s*[\w."'-]+\s*:(?:\s|$)|\s*- )/,
  },
  // A field with the value, beside one with the name.
  new RegExp(`${naming}${nameOfSecret}[^}]{0,400}?${beside}${field}`, 'i'),
  new RegExp(String.raw`\bevent manager environment \S*${word} (.+)`, 'i'),
  // Without a name: `username admin "…" rw`, `enable 0 …`.
  new RegExp(
    String.raw`^\s*username (?:"[^"]*"|\S+) (?!(?:access-class|algorithm-type|autocommand|callback|common-criteria|description|dnis|expire|group|keypair|level|mac|masked-secret|no\w+|one-time|passphrase|passw\w+|priv|role|secret|serial-number|service|shell|ssh\S*key|unencrypted|user-|view)[\w-]*(?:\s|$))(\S+(?:(?!${behind})\s+\S+)*)`,
  ),
  /^\s*(?:enable \d+|syscon address \S+) (\S.*)/,
  // SNMP: trap receivers and version 3 users.
  /^snmp-server host \S+(?: vrf \S+)?(?: (?:traps|informs))?(?: version (?:1|2c?))?(?: community)? (?!traps|informs|version|vrf|use-vrf|filter-vrf|source-interface|community)("[^"]+"|\S+)/,
  /\bauth(?:-\w+-key| (?:md5|sha\S*)) (?:0x)?("[^"]*"|\S{8,})/,
  /\bpriv(?:-\w+-key| (?:3?des|aes\S*(?: \d+)?)) (?:0x)?("[^"]*"|\S{8,})/,
  /^snmp.* priv (?!3?des|aes|noauth|auth)("[^"]*"|\S+)/,
  /^snmp(?:-server)? (?:mib )?community-map (\S+)/,
  /\bparams securityname (?:(?:cipher|plain|simple) )?(\S+)/,
  /\b(?:authentication|privacy)-mode (?:(?:hmac-)?(?:md5|sha\S*|sm3)|3?des\S*|aes\S*)(?: \d{1,3})?(?: (?:cipher|plain|simple))? (?!key|cipher|plain|simple|privacy-mode)("[^"]+"|\S+)/g,
  /^configure snmpv3 .{0,80}? authentication \S+ (?:hex|localized-key) (\S+)(?: privacy (?:\S+ ){0,2}(?:hex|localized-key) (\S+))?/,
  // Of net-snmp.
  /^\s*com2sec6?\s+(?:-Cn\s+\S+\s+)?\S+\s+\S+\s+(\S+)/i,
  /^\s*(?:trap2?|inform)sink\s+\S+\s+(\S+)/i,
  /^\s*createUser\s.{0,80}?\s(?:MD5|SHA\S*)\s+("[^"]+"|\S+)(?:\s+(?:3?DES|AES\S*)\s+("[^"]+"|\S+))?/i,
  /(?<=^\s{0,8}trapsess\s.{0,200})\s-[AXMKc]\s+("[^"]+"|\S+)/,
  // RIP, VRRP, HSRP, EIGRP, NHRP, OSPF.
  /\bauthentication (?:string|text|simple|encrypt) (?:\d )?(?!key-chain)(\S.*)/,
  /\b(?:nhrp|standby|vrrp|glbp)(?: \d+)? authentication (?!text|md5|string)(\S.*)/,
  /\bauthentication mode hmac-sha-256 (?:\d )?(\S+)/,
  // Accounts of Extreme's switches, WEP, and NUT's monitor.
  /^(?:configure|create) .{0,80}?account .{0,80}?encrypted (\S+)/,
  /^\s*encryption (?:vlan \d+ )?key \d size \w+ (?:\d )?(\S+)/,
  /^\s*MONITOR\s+\S{1,200}@\S{1,200}\s+\d+\s+\S+\s+(\S+)/,
  // Keys in hexadecimal: IPsec of OSPFv3 and by hand, MACsec.
  /\b(?:ipsec spi|session-key) .{0,80}?(?<!\S)(?:0x)?([\da-f]{16,})/i,
  /^\s*key [\da-f]{2,64} (?:\d\w? |cak |key-octet-string )?(\S+)/i,
  // `username:password@host`, as in variables of Cisco's event manager.
  /(?:^|[\s"'])[\w.%+-]+:([^\s:@"'/]+)@[\w.-]+/,
  /\s-u '?[^:\s']+:([^'\s]+)/,
  /"auth": ?"([^"]{8,})"/,
  // Of XML.
  new RegExp(String.raw`<(?:${word})(?:\s[^<>]*)?>([^<]+)<`, 'i'),
  new RegExp(String.raw`>${word}</\w+>\s*<\w+>([^<]+)<`, 'i'),
  // In crypt(3)'s format, and those of some vendors.
  /(\$(?:\d|14|2[abxy]|g?y|apr1|sha1|md5|pbkdf2[\w-]*|argon2\w*|scrypt)\$[^\s"';,:]+)/,
  /(%[\^@$]%[#@$%].+?%[\^@$]%[#@$%])/,
  // Of a URL: a password, a token instead of a user, a token in its path.
  /[a-z0-9+.-]:\/\/[^\s/:@]*:([^\s/]+)@/i,
  /\bhttps?:\/\/([^\s/:@"']{16,})@/i,
  /\b(?:https?|wss?):\/\/[^\s"'/]+(?:\/[^\s"'/?#]*){0,6}?\/((?=[^\s"'/?#.]*\d)(?=[^\s"'/?#.]*[a-z])[\w~%+=-]{16,})(?=[\s"'/?#]|$)/i,
  /[?&](?:sig|signature|auth|code|hash|x-amz-\w+)=([^\s"'&]+)/gi,
  /\b(?:bearer|basic)\s+([\w.~+/-]{8,}=*)/i,
  // Tokens and keys that have a form of their own: age, ZeroTier, GitHub, GitLab, Slack, Tailscale, JWT, OpenSSH, PEM in base64.
  /\b(AGE-(?:SECRET-KEY|PLUGIN)-[0-9A-Z-]+)/,
  /\b[\da-f]{10}:\d:[\da-f]{64,}:([\da-f]{64,})/,
  /(?<![\w-])((?:gh[oprsu]_|github_pat_|glpat-|xox[a-z]-|xapp-|tskey-|hvs\.|dop_v1_|npm_|sk_live_|rk_live_|AIza|ya29\.|eyJ[\w-]{8,}\.eyJ)[\w.-]{16,})/,
  /(?<![\w+/=])(b3BlbnNzaC1rZXkt[\w+/=]*|LS0tLS1CRUdJTi[\w+/=]*(?:UFJJVkFURS|BSSVZBVE|QUklWQVRF)[\w+/=]*)/,
  // On one line, as in JSON.
  new RegExp(`${begin}(.+)`, 'i'),
  { from: new RegExp(String.raw`${begin}\s*$`, 'i'), until: /-{4,5} ?END [\w ]+-{4,5}/i },
  // Files of keys, and of names with their passwords or keys.
  {
    from: /^===== .*(?:[._-]key|\.(?:keys|psk|secret|token|keytab|netrc|pgpass|htpasswd)|secrets|sasl_passwd|smbpasswd|credentials)"?, file/,
    until: /^===== /,
  },
  // PuTTY's.
  { from: /^Private-Lines: \d+/, until: /^Private-MAC:/ },
];
