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
  String.raw`[\w.-]*(?:(?:(?<!\bno)passw(?:or)?d|pass-?phrase)(?:-(?:encrypted|hashed))?|passcode|secret|psk|credentials?|token|authtok|cak|pmk|otp_?seed)`,
  String.raw`[\w.-]*[._-]p(?:ass|wd|w)`,
  String.raw`\w*(?:(?:bind|root|mod|admin)pw|(?:auth|priv)pwd|(?:proxy|require|ssh)pass|masterauth)`,
  String.raw`(?<!\b(?:set|match)\s)(?:(?:snmp-|r[ow])?community6?(?:-name|-string)?|[\w.]*_community)`,
  String.raw`(?:[\w.-]*[._-])?(?<!public[_ -])key(?:-string|-hexadecimal|-octet-string|-value|-data)?(?<!(?<!\S\s+)key(?=\s+\d{1,10}\s*$))`,
  String.raw`[\w.-]*(?:auth|api|hmac|wep|wpa|private|shared|priv|encryption|access|account)key`,
].join('|')})\\d?`;
/** A name in front of its value: `wpa_psk=`, `"password": `. */
const named = String.raw`(?<![\w.-])${word}["']?\s*[=:]\s*(?:\\\r?\n\s*)?`;

/** Words between the name and its value: whom it is for, its encoding. */
const kind = String.raw`(?:(?:level \d+|option \d+ for \S+|(?:address \S+(?: \S+)?|hostname \S+) key|user-name \S+|type \S+ value|\d+(?= (?:md5|sha|hmac|cmac|aes|hash))|fallback|(?:un|auth-|privacy-)?encrypted(?:-aes)?|hashed|md5|sha\d*|sha\S*-password|hmac-\S+|[ac]mac-\S+|ascii|ascii-text|hex|hexadecimal|plain(?:-?text)?|clear(?:-?text)?|auto|text|string|enc|(?:irreversible-)?cipher(?:-?text)?|simple|hash2?|localized(?:-?key)?|read|write|ro|rw|local|remote|config-key|password-encrypt|hidden|manager|operator|(?:auth|acct)(?: "?[\d.]+"?)?|ipaddr|ipmask|mode|view)\s+(?=\S))*(?:\d{1,2}[a-z]?\s+(?=\S))?`;
const argument = String.raw`["']?[^\s"']{1,64}["']?`;
/** What may follow a value: words with up to two arguments, and others. Anything else belongs to it. */
const mayFollow = (words: string) =>
  String.raw`(?:(?:\s+|(?<=\s))(?:(?:${words})(?:(?<=level-)[12]| ${argument}){0,2}|r[ow]|(?:un)?restricted|operator|manager|encrypted|override|localized(?:(?:v2)?key)?|systemowner|trusted|authentication|accounting|fallback|no-xauth)){0,4}\s*(?:\{|;(?:\s*## SECRET-DATA)?)?\s*$`;
/**
 * Names of algorithms, as SNMPv3 and routing protocols have them: `md5`, `SHA-2 256`, `hmac-sha2-256`, `des56`, `aes256-c`, `aes 128`,
 * `cfb128-aes-128`. Not a part of a word such as `nodes`.
 */
const algorithm = String.raw`(?:[\w-]{0,20}[\d_-]|t|(?:usm)?(?:hmac)?|cbc)(?:md-?5|sha|sm[34]|des|aes)(?:c[bft][bcr]|gcm|ede|(?:auth|priv)protocol)?(?![a-z])[\w-]{0,20}(?:\s+(?:128|192|2(?:24|56)|384|512)(?=\s))?(?=\s|$)`;
/** `auth md5`, `authentication-mode sha2-256`, `auth-sha`, `priv encrypted des`. */
const algorithmOf = (what: string) =>
  String.raw`\b(?<!\baaa\s)(?:${what})(?:-(?:mode|type|algo(?:rithm)?|prot(?:o|ocol)?))?(?:[-_]|\s+)(?:(?:encrypted|hash2?|cipher|localized)\s+)?${algorithm}`;
const protection = algorithmOf('auth(?:entication)?|priv(?:acy)?');
/** Begins the second half of a statement, even without the word `priv` or without its algorithm. */
const encryption = String.raw`(?:\s+|(?<=\s))(?:${protection}|${algorithmOf('encrypt(?:ion)?')}|${algorithm}|priv(?:acy)?(?=\s))`;
const behind = String.raw`(?:${mayFollow('level|level-|access-level|address|vrf|hostname|role|group|view|context|hash|use-acl|auth-port|acct-port|udp-port|port|id|authorization|network|client|priority|timeout|ipv6|mode|7|r[ow]')}|\s+${protection})`;
const behindKey = `(?:${mayFollow('access|access-level|acl|use-acl|context|engine-?id|group|ipv[46]|level-|remote|role|sec-level|timeout|(?:read-|write-|notify-)?view|vrf')}|${encryption})`;
const keyName = String.raw`(?:(?:key-?id\s+)?\d{1,3}\s+(?=\S))?(?:(?:(?:auth\w*|priv\w*|md5|sha\d*|localized)-)?(?:key(?:-string|-value)?|pass\w*|secret|cipher)\s+(?=\S))?`;
const keyPart = String.raw`(?:"[^"]*"\S*|\S+)`;
/**
 * The key behind an algorithm. Known words in front of it are skipped. In an unknown grammar, any part of the rest may be the key, so all
 * of it is masked, up to the encryption.
 */
const keyBehind = String.raw`(?!\s+${protection})\s+(?!key-?chain\s|\{)(?:${keyName}${kind}(?!${behindKey})(${keyPart}(?:(?!${behindKey})\s+${keyPart})*)|(${keyPart}(?:(?!${encryption})\s+${keyPart})*))`;
/** Of a user of SNMPv3: an algorithm without `auth` in front of it, as in net-snmp's `createUser`, or `auth` without an algorithm. */
const userOf = String.raw`^\s*(?:createUser|(?:(?:add|config(?:ure)?|create|encrypted|(?:nv )?set(?: service)?) )?snmp\S*(?: \S+)? [\w-]{0,10}user(?:name)?)\s.{0,120}?\s(?:${algorithm}|(?<!level\s)auth(?=\s)(?!\s+(?:${algorithm}|(?:type|none)\s|${word}\s+(?!priv))))`;
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
  /^snmp-server host \S+(?: vrf \S+)?(?: (?:traps?|informs?))?(?: version v?(?:1|2c?))?(?: community)? (?!(?:traps?|informs?|version|vrf|use-vrf|filter-vrf|source-interface|community)(?:\s|$))("[^"]+"|\S+)/,
  {
    secret: new RegExp(
      `(?:${protection}|${userOf})${keyBehind}(?:${encryption}${keyBehind})?`,
      'i',
    ),
    unless: freeText,
  },
  /^snmp(?:-server)? (?:mib )?community-map (\S+)/,
  /\bparams securityname (?:(?:cipher|plain|simple) )?(\S+)/,
  // Of Cumulus, in YAML: the key is the name of the next level.
  { continues: /\b(?:auth|encrypt)-(?:md5|sha\d*|des|aes\d*):\s*$/ },
  /\b(?:auth|encrypt)-(?:md5|sha\d*|des|aes\d*):\s+(\S+):/,
  // Of net-snmp.
  /^\s*com2sec6?\s+(?:-Cn\s+\S+\s+)?\S+\s+\S+\s+(\S+)/i,
  /^\s*(?:trap2?|inform)sink\s+\S+\s+(\S+)/i,
  /(?<=^\s{0,8}trapsess\s.{0,200})\s-[AXMKc]\s+("[^"]+"|\S+)/,
  // RIP, VRRP, HSRP, EIGRP, NHRP, OSPF.
  /\bauthentication (?:string|text|simple|encrypt) (?:\d )?(?!key-chain)(\S.*)/,
  /\b(?:nhrp|standby|vrrp|glbp)(?: \d+)? authentication (?!text|md5|string)(\S.*)/,
  /\bauthentication mode hmac-sha-256 (?:\d )?(\S+)/,
  // Accounts of Extreme's switches, WEP, and NUT's monitor.
  /^(?:configure|create) .{0,80}?account .{0,80}?encrypted (\S+)/,
  /^\s*encryption (?:vlan \d+ )?key \d size \w+ (?:\d )?(\S+)/,
  /^\s*MONITOR\s+\S{1,200}@\S{1,200}\s+\d+\s+\S+\s+(\S+)/,
  // Keys in hexadecimal: IPsec of OSPFv3 and by hand, users that net-snmp stored, MACsec.
  /(?<!\S)(?=(?:0x)?[\da-f]{16})(?<=\b(?:ipsec spi|session-key|usmUser)\s.{0,300})(?:0x)?([\da-f]+)/i,
  /^\s*key [\da-f]{2,64} (?:\d\w? |cak |key-octet-string )?(\S+)/i,
  // `username:password@host`, as in variables of Cisco's event manager.
  /(?:^|[\s"'])[\w.%+-]+:([^\s:@"'/]+)@[\w.-]+/,
  /\s-u '?[^:\s']+:([^'\s]+)/,
  /"auth": ?"([^"]{8,})"/,
  // Of EOS' agent for CloudVision.
  /auth=key,["']?([^\s"']+)/i,
  // Of XML; what is masked already looks like it.
  new RegExp(String.raw`<(?!secret [\da-f]{6,12}>)(?:${word})(?:\s[^<>]*)?>([^<]+)<`, 'i'),
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
