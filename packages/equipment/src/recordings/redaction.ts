/**
 * Decides what is replaced in a recording before anybody else sees it: secrets, addresses, names and serial numbers. The same original
 * always becomes the same text of equal length, in which letters stay letters and digits stay digits, so that columns and prompts keep
 * their form; without the key, which is thrown away, nobody can tell which original it was.
 *
 * What is known is found wherever it is and however it is encoded: what rack.yaml and its logins contain, and what the first pass over the
 * whole recording learns from labels (`hostname`, `Serial Number:`, "AssetTag"). Otherwise, it depends on the transport what stays:
 *
 * - HTTP: names of JSON fields and names of up to four letters, truth values, 0 and 1, a few words such as `on`, and what skolo needs to
 *   read the same again (`isNeeded`).
 * - SNMP: requested objects, and of their values numbers. In names of interfaces, digits are port numbers, and stay.
 * - Command lines: everything but what labels or its form reveal: addresses, keys, certificates, free text behind words such as
 *   `description`. Rather replaces too much.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { isObject, parseJson } from '@skolo/base';
import { createMask } from '../models/configuration/mask.ts';
import type { SecretRule } from '../models/contract/backup.ts';
import { escapePattern } from '../transports/cli/dialect.ts';
import { inBytes, KnownWords } from './known-words.ts';

interface Originals {
  /** Passwords, keys, communities, tokens. */
  secrets: readonly string[];
  /** Of machines, equipment, people, projects, domains; user names. */
  names: readonly string[];
  /** That are read: in paths, parts of their own. */
  outlets?: readonly string[];
  /** Words that say nothing about a rack, such as those of the model. */
  harmless?: RegExp;
}

/** Words of the field, and accounts that vendors create. */
const ordinary =
  /^(?:\d+|router|switch|gateway|firewall|jumphost|ups|pdu|rack|core|edge|linux|host|server|machine|internet|uplink|lan|wan|local|localhost|admin|administrator|root|manager|operator|monitor|user|guest|ubnt|apc|cisco|pi|system|main|default|device|none|true|false|master|console|enable|exit|show|config|configure|password|login|username|outlet|port|read|write|public|private|account|charset|skolo|shell|exec|http|https|snmp|ssh|telnet)$/i;

/** Whether the value at a place is needed to read the same again. */
export type IsNeeded = (pointer: string) => boolean;

const shortest = 3;
type Kind = 'secret' | 'name' | 'serial';

/** In addition to those of configurations: what stands in messages, web pages and requests. */
const secretsInText: readonly SecretRule[] = [
  /(?<![a-z-])(?:[\w-]{0,40}pwd|(?:pin|puk|activation|access|security|unlock)[ _-]?code|(?:licen[cs]e|secret|product)_?key)["']?(?:[ \t]*[:=][ \t]*|[ \t]+)(?:is[ \t:]+)?(?:"([^"\r\n]+)|["']?([^\s"',;&{}]+))/i,
  /(?<![a-z])(?:pin|puk|otp)["']?[ \t]*(?:[:=][ \t]*(?:"([^"\r\n]+)|["']?([^\s"',;&{}]+))|[ \t](?:is[ \t:]+)?(\d{4,})\b)/i,
  /\bsession(?:[ _-]?(?:id|key))?["']?[ \t]*[:=][ \t]*["']?((?=[^\s"']*\d|[^\s"']{8})[^\s"',;&{}]{6,})/i,
  /[?&;][\w.-]{0,40}(?:pass|pwd|pin|key|token|secret|auth|code)[\w.-]{0,40}=([^\s&"'{}]+)/gi,
  /\b(?:set-)?cookie2?:[ \t]*(\S.*)/i,
  /\bauthorization:[ \t]*[\w-]{1,40}[ \t]+(\S.*)/i,
  /:\/\/[^\s/:@"'<>]{0,100}:([^\s"'<>]{1,200})@/,
];

/** In commands of rack.yaml, up to the end of the value. */
const secretParameter =
  /(?<=[?&;"{]["']?[\w.-]{0,40}(?:pass|pwd|pin|key|token|secret|auth|code|sig)[\w.-]{0,40}["']?[=:]\s?["']?)(?!<secret>)[^\s&"'{}]+/gi;
/** Of a request, with its name. */
const parameter = /([?&;][^?&;=#\s]*=)([^&;\s#]+)/g;
/** What stands for an outlet, or is masked. */
const markPattern = String.raw`\{outlet(?:[+-]1)?\}|<secret(?: [\da-f]{12})?>`;

/** What stands behind one of these is somebody's own words. */
const freeText =
  /((?:^|[\s{;,])["']?(?:description|remark|comment|contact|sys-?contact|location|sys-?location|alias|asset-?(?:tag|id)|title|banner(?: \w+)*|displaystring|sys-?name|friendly-?name|user-?label|clibanner|motd|full-name|organization(?:al-unit)?|common-name|subject(?:-name)?|issuer|city|country|state-or-province)["']?(?:[ \t]*[:=])?[ \t]+(?:is )?|\b(?:comment|description|location|contact|subject|issuer)=|^[ \t]{1,12}name[ \t]+|\b(?:CN|OU|O|L|ST)\s?=\s?)(\S[^\r\n]*)/gim;
/** Up to the character that it begins with. */
const banner = /((?<!no )\bbanner (?:\w+ )?(?=(\^C|[^\s\w])))(\2[\s\S]{1,8000}?)(?=\2)/g;
/** Of XML. */
const element = /<([\w-]+)>([^<>]+)(?=<\/\1>)/g;
/** What stands behind one of these is a name that may also stand elsewhere. */
const labels: readonly [Kind, RegExp][] = [
  [
    'name',
    /^[ \t#!]*(?:set (?:system )?)?(?:ip )?(?:host-?name|system[- ]name|domain-?name|device name|user-?name|snmp-server user|sysname|ssid|fqdn|realm)["']?(?:[ \t]*[:=])?[ \t]+(?:is )?["']?([\w.@-]{3,64})/gim,
  ],
  ['name', /\buser=([^\s"&<]{3,64})|\bname=([^\s"&<]{3,64})(?= .*\bpassword=)/g],
  // Whose key it is.
  ['name', /\b(?:ssh-\w+|ecdsa-\S+) [\w+/=]{20,}\s+([^\s"]{3,64})/g],
  [
    'serial',
    /(?:\bserial[ -]?(?:number|num|no\.?|#)|\bserial(?=["']?\s*[:=#])|\bS\/?N(?=\s*[:=])|\bprocessor board id\b|\bchassis[ -]?id\b|\bservice tag\b|\bsystem[ -]id\b|\bengine-?id\b(?: local)?|\bhost-?id\b|\blicense[ -](?:key|id)\b|\basset[ -]?tag\b|\bVDH)["']?[ \t]*(?:(?:\.{2,}(?!\.)|[:=#])+[ \t]*)?(?:is:? )?["']?((?=[\w-]*\d)[\w-]{4,64})/gi,
  ],
];
/** JSON fields by what they hold. */
const fields: readonly [Kind | 'text', RegExp][] = [
  [
    'secret',
    /passw|pass$|secret|token|(?:^|_|api|auth|priv|psk)key$|psk|passphrase|community|credential|cookie/i,
  ],
  [
    'serial',
    /serial|uuid|^sku$|^guid$|service_?tag|asset_?(?:tag|id)|identifier|durablename|wwn|iqn|engineid/i,
  ],
  [
    'name',
    /^host_?name|fqdn|ssid|user_?name$|^user$|domain|^(?:device|friendly|system|sys)_?names?$|^client(?:_?id)?$|topic|e-?mail|^owner$/i,
  ],
  [
    'text',
    /^name$|alias|descr|comment|contact|location|room|building|address$|label|^tz|timezone|^subject$|^issuer$/i,
  ],
];
/** The heading of a column of somebody's own words or numbers, which is not the first one. */
const ownColumns =
  /(?:Name|NAME|Description|DESCRIPTION|Descr|Alias|Serial(?: [Nn]umber| No\.?)?)(?=\s{2,}\S|\s*$)/g;

const forms = {
  mac: /(?:(?<![\da-f][:.-]?)(?:[\da-f]{2}([:-])[\da-f]{2}(?:\1[\da-f]{2}){4}|[\da-f]{4}([.:-])[\da-f]{4}\2[\da-f]{4}|[\da-f]{6}[-:][\da-f]{6})(?![:.-]?[\da-f])|(?<![\da-z])(?=\d*[a-f])[\da-f]{12}(?![\da-z]))/gi,
  ipv4: /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)/g,
  ipv6: /(?<![\w:.])(?=[\da-f]*:)(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi,
  uuid: /\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/gi,
  mail: /(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b/gi,
  url: /(?<=[a-z][a-z\d+.-]*:\/\/)[^\s"'<>/]+/gi,
  domain:
    /\b(?:[a-z\d-]{1,63}\.){1,8}(?:com|net|org|edu|gov|mil|int|io|dev|app|cloud|ai|eu|de|uk|fr|nl|ch|at|us|jp|cn|in|au|ca|lan|local|internal|corp|home|intra|arpa|example|test|invalid)\b/gi,
  fingerprint: /\b[\da-f]{2}(?::[\da-f]{2}){7,}\b/gi,
  hex: /(?<![\da-z])(?:0x)?[\da-f]{24,}(?![\da-z])/gi,
  base64: /(?<![\w+/=-])(?=[\w+/-]*\d)(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])[\w+/-]{40,}={0,2}/g,
} as const;
const maskedWord = /(<secret(?: [\da-f]{12})?>)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what terminals are sent.
const escapes = /\x1b\[[\d;?]*[A-Za-z]/g;
const writtenEscapes = /\\e\[[\d;?]*[A-Za-z]/g;
const untouched = new RegExp(`${maskedWord.source}|(${escapes.source})`);
/** A path has a slash sooner. */
const longPart = /[^/]{28}/;
/** In front of four numbers that are a version. */
const ofVersion =
  /(?<![a-z])(?:version|firmware|release|revision|software|bios|build|v|ver\.?)["']?[\s:=]*"?$/i;

export class Redaction {
  private readonly key = randomBytes(32);
  private readonly mask = createMask(randomBytes(32));
  private readonly harmless: RegExp | undefined;
  /** What stays; an outlet; letters; digits. All else stands between parts of a path. */
  private readonly pathPart: RegExp;
  private readonly words = new Map<string, Kind>();
  private readonly standIns = new Map<string, string>();
  private readonly protocol = new Set<string>();
  private readonly used = new Set<string>();
  /** Even those that are ordinary words, in lower case. */
  private readonly names: ReadonlySet<string>;
  private readonly neededTexts = new Map<string, string>();
  private found: KnownWords | undefined;

  constructor({ secrets, names, outlets = [], harmless }: Originals) {
    this.harmless = harmless;
    const longestFirst = [...outlets].sort((a, b) => b.length - a.length);
    const outlet = longestFirst.map(escapePattern).join('|') || '(?!)';
    const part = String.raw`(?:(?!${outlet})[a-z\x80-\uffff])+|(?:(?!${outlet})\d)+`;
    this.pathPart = new RegExp(`(${markPattern})|(${outlet})|${part}`, 'gi');
    this.names = new Set(names.map((name) => name.toLowerCase()));
    for (const name of names) this.add('name', name);
    for (const secret of secrets) for (const each of escaped(secret)) this.add('secret', each);
  }

  /** The first pass: names and serial numbers, which are then replaced everywhere. One character per byte. */
  learn(raw: string): void {
    const text = raw.replaceAll(escapes, ' ');
    for (const [kind, label] of labels) {
      for (const [, word, other = ''] of text.matchAll(label))
        this.learnWord(kind, inString(word ?? other));
    }
    for (const [all] of text.matchAll(forms.mac)) this.learnMac(all);
    for (const [all] of text.matchAll(forms.ipv4)) this.used.add(all);
    for (const [all] of text.matchAll(forms.uuid)) this.learnWord('serial', all);
  }

  /** The name in a prompt, such as `admin@switch-1>` or `(EdgeSwitch) #`. */
  learnPrompt(line: string): void {
    const prompt = line.replaceAll(escapes, ' ').trim();
    if (!/^(?:\S+ ?){1,3}[>#$%\]]$/.test(prompt)) return;
    for (const [word] of prompt.matchAll(/[\w.-]{3,64}/g)) this.learnWord('name', inString(word));
  }

  learnJson(value: unknown, field = ''): void {
    if (typeof value === 'string') {
      const kind = kindOf(field);
      if (kind === 'serial' || kind === 'name' || kind === 'secret') this.learnWord(kind, value);
      this.learn(inBytes(value));
    } else if (Array.isArray(value)) for (const each of value) this.learnJson(each, field);
    else if (isObject(value))
      for (const [name, each] of Object.entries(value)) {
        this.learn(inBytes(name));
        this.learnJson(each, name);
      }
  }

  /** Words of a protocol, which no device has for names. */
  learnProtocol(sent: string): void {
    for (const [word] of sent.toLowerCase().matchAll(/(?<![\w.-])[a-z-]{3,}(?![\w.-])/g))
      this.protocol.add(word);
  }

  learnWord(kind: Kind, word: string): void {
    if (!this.protocol.has(word.trim().toLowerCase())) this.add(kind, word);
  }

  private add(kind: Kind, word: string): void {
    const known = inBytes(word.trim()).toLowerCase();
    const isPlain =
      kind !== 'secret' &&
      (ordinary.test(known) || this.harmless?.test(known) || isIPv4(known) || isIPv6(known));
    if (known.length < shortest || isPlain || this.words.get(known) === 'secret') return;
    this.words.set(known, kind);
    this.found = undefined;
  }

  /** One character per byte. @param rules of the model's secrets */
  text(text: string, rules: readonly SecretRule[] = []): string {
    const labelled = labels.reduce(
      (rest, [, label]) =>
        rest.replaceAll(label, (all: string, ...words: unknown[]) => {
          const word = words.slice(0, 2).find((each) => typeof each === 'string');
          return typeof word === 'string' ? this.replaceWord(all, word) : all;
        }),
      this.withoutFreeText(this.masked(text, rules)),
    );
    return this.value(withoutOwnColumns(labelled, (words) => this.scrambledText(words)));
  }

  /** Only without secrets: those that it recognises by their names or their form. */
  masked(text: string, rules: readonly SecretRule[]): string {
    return this.mask.text(text, [...rules, ...secretsInText]);
  }

  private withoutFreeText(text: string): string {
    const scrambled = (begin: string, words: string) => `${begin}${this.scrambledText(words)}`;
    return text
      .replaceAll(freeText, (_all, begin: string, words: string) => scrambled(begin, words))
      .replaceAll(banner, (_all, begin: string, _end, words: string) => scrambled(begin, words))
      .replaceAll(element, (all, name: string, words: string) => {
        const kind = kindOf(name);
        return kind === undefined ? all : `<${name}>${this.scrambledText(words)}`;
      });
  }

  /** A text without labels. One character per byte. */
  value(text: string): string {
    // What is masked is nobody's address.
    return this.acrossEscapes(text)
      .split(untouched)
      .map((part = '', at) => (at % 3 === 0 ? this.plainValue(part) : part))
      .join('');
  }

  /** Some terminals move the cursor behind each character that they repeat. */
  private acrossEscapes(text: string): string {
    if (!text.includes('\x1b')) return text;
    const at = [...text.matchAll(escapes)].map(({ index, 0: { length } }) => [index, length]);
    const hidden = new Set(
      at.flatMap(([from = 0, length]) => Array.from({ length: length ?? 0 }, (_, i) => from + i)),
    );
    const seen = [...text].flatMap((character, index) =>
      hidden.has(index) ? [] : [{ character, index }],
    );
    const characters = [...text];
    for (const { at, known } of this.known().in(seen.map(({ character }) => character).join(''))) {
      const places = seen.slice(at, at + known.word.length);
      const isWhole = (places.at(-1)?.index ?? 0) - (places[0]?.index ?? 0) < known.word.length;
      const standIn = [...this.standIn(places.map(({ character }) => character).join(''))];
      if (isWhole) continue;
      for (const [order, { index }] of places.entries()) characters[index] = standIn[order] ?? '';
    }
    return characters.join('');
  }

  private plainValue(text: string): string {
    const standIn = (all: string) => this.standIn(all);
    const known = this.known().replaced(
      text.replaceAll(forms.mac, (all) => this.mac(all)),
      (word, { word: lower }) =>
        this.words.get(lower) === 'secret' ? '<secret>' : this.standIn(word),
      standIn,
    );
    return known
      .replaceAll(forms.mail, standIn)
      .replaceAll(forms.url, (host) => (isIPv4(host) ? host : this.standInOfHost(host)))
      .replaceAll(forms.domain, (name) => this.standInOfHost(name))
      .replaceAll(forms.fingerprint, (all) => (all.length === 17 ? all : standIn(all)))
      .replaceAll(forms.ipv4, (all, at: number) =>
        ofVersion.test(known.slice(Math.max(0, at - 30), at)) && !this.isKnownAddress(all)
          ? all
          : this.ipv4(all),
      )
      .replaceAll(forms.ipv6, (all) => this.ipv6(all))
      .replaceAll(forms.uuid, standIn)
      .replaceAll(forms.hex, standIn)
      .replaceAll(forms.base64, (all) => (longPart.test(all) ? standIn(all) : all));
  }

  /** JSON: its form and its fields, and few of their values. @param isNeeded whether the value at this place stays */
  private json(text: string, isNeeded: IsNeeded): string {
    let [field, at] = ['', 0];
    return text.replaceAll(jsonToken, (token, colon?: string) => {
      const value: unknown = JSON.parse(token);
      const isField = colon !== undefined;
      if (isField) field = String(value);
      else at += 1;
      const place = `${field} ${at}`;
      const own = isField ? this.fieldName(field) : this.scalar(value, isNeeded, place);
      return own === value ? token : JSON.stringify(own);
    });
  }

  private scalar(value: unknown, isNeeded: IsNeeded, place: string): unknown {
    if (typeof value === 'number')
      return value === 0 || value === 1 || isNeeded(place) ? value : this.number(value);
    if (typeof value !== 'string' || usualValue.test(value)) return value;
    if (isNeeded(place)) return this.neededText(value);
    const isSecret = kindOf(place.slice(0, place.lastIndexOf(' '))) === 'secret';
    return isSecret ? '<secret>' : this.stranger(value);
  }

  /** Whoever needs a text does not need the secrets in it. */
  private neededText(text: string): string {
    const known = this.neededTexts.get(text) ?? inString(this.text(inBytes(text)));
    this.neededTexts.set(text, known);
    return known;
  }

  /** Keeps it, except for addresses, and words of the rack. */
  private fieldName(name: string): string {
    const plain = inBytes(name);
    const { mac, ipv4, ipv6 } = forms;
    const isKnown = [mac, ipv4, ipv6].some((form) => plain.search(form) >= 0);
    return isKnown || this.known().isIn(plain) ? this.string(name) : name;
  }

  /** Another one with as many digits. */
  private number(value: number): number {
    const digits = /^(-?)(\d+(?:\.\d+)?)$/.exec(String(value));
    return digits === null ? 0 : Number(`${digits[1]}${this.standIn(digits[2] ?? '')}`);
  }

  /** A text of which nothing stays but its form. */
  private stranger(text: string): string {
    const plain = inBytes(text).replaceAll(strangeWord, (word, kept?: string) => {
      if (kept !== undefined) return word;
      return word.match(forms.mac)?.[0] === word ? this.mac(word) : this.standIn(word);
    });
    return inString(plain);
  }

  learnHttp(text: string): void {
    const value = parseJson(text);
    if (value === undefined) this.learn(inBytes(text));
    else this.learnJson(value);
  }

  /** A body or header of HTTP. Places are fields and numbers of values in JSON, and in other texts numbers of words and names. */
  http(text: string, isNeeded: IsNeeded = () => false): string {
    if (isJson(text)) return this.json(text, isNeeded);
    let at = 0;
    return this.neededText(text).replaceAll(bodyWord, (word, mark?: string, name?: string) => {
      const isUsual = usualValue.test(word) || (name !== undefined && isUsualName(word));
      if (mark !== undefined || isUsual) return word;
      at += 1;
      return isNeeded(`word ${at}`) ? word : this.stranger(word);
    });
  }

  /** Method and path of an HTTP request. Any user will do when it is played. */
  requestLine(line: string, isNeeded?: IsNeeded): string {
    const method = /^\w+ /.exec(line)?.[0] ?? '';
    const withoutUser = line
      .slice(method.length)
      .replaceAll(parameter, (all, begin: string, value: string) =>
        this.names.has(unescapedValue(value).toLowerCase()) ? `${begin}<secret>` : all,
      );
    return `${method}${this.path(withoutUser, isNeeded)}`;
  }

  /**
   * Of a request, or of rack.yaml, which is sent when the request is played. Both become the same, because outlets are parts of their own.
   *
   * @param isNeeded whether a part stays, by its place: `/api/v#`, for any outlet or number, or `?name` of a parameter
   */
  private path(text: string, isNeeded: IsNeeded = () => false): string {
    let [end, form] = [0, ''];
    const plain = text.replaceAll(this.pathPart, (part, mark, outlet, at: number) => {
      const before = `${form}${text.slice(end, at)}`;
      const isNumber = mark !== undefined || outlet !== undefined || /\d/.test(part);
      form = `${before}${isNumber ? '#' : part}`;
      end = at + part.length;
      const isName = text[end] === '=' && !before.endsWith('#');
      const isUsual = usualValue.test(part) || (isName && isUsualName(part));
      if (mark !== undefined || isUsual) return part;
      return isNeeded(placeOf(before, form)) ? part : this.stranger(part);
    });
    return this.fieldName(plain);
  }

  /** Keys of a model in rack.yaml, with which the recording is played. @param isNeeded as of a request */
  options(value: unknown, isNeeded: IsNeeded = () => false, key = ''): unknown {
    if (Array.isArray(value)) return value.map((each) => this.options(each, isNeeded));
    if (isObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => {
          if (key !== 'headers') return [this.string(name), this.options(each, isNeeded, name)];
          const isType = typeof each === 'string' && /^(?:accept|content-type)$/i.test(name);
          return isType ? [name, this.http(each)] : [this.stranger(name), '<secret>'];
        }),
      );
    }
    if (typeof value !== 'string') return value;
    if (key === 'path') return this.path(value, isNeeded);
    if (key === 'body') return this.http(value);
    // An expression is compared with responses, and not sent.
    if (/^(?:on|off|expect)$/.test(key)) return this.string(value);
    return this.string(value.replaceAll(secretParameter, (word) => this.standIn(word)));
  }

  /** Rows of `OID|TAG|VALUE`. */
  snmp(rows: string): string {
    return rows
      .split('\n')
      .map((row) => this.row(row))
      .join('\n');
  }

  /**
   * Where a secret or name is still there, in whatever encoding, or undefined. Says nothing of the text, which people report.
   * @param texts by their places
   */
  leak(texts: Iterable<readonly [place: string, text: string]>): string | undefined {
    const isIn = (text: string) => this.known().isIn(inBytes(text.replaceAll(writtenEscapes, '')));
    for (const [place, text] of texts)
      if (isIn(text)) return `line ${text.split('\n').findIndex(isIn) + 1} of ${place}`;
    return undefined;
  }

  private row(row: string): string {
    const [oid = '', tag = '', ...rest] = row.split('|');
    if (rest.length === 0) return row;
    const value = rest.join('|');
    const written = (what: string) => `${this.index(oid)}|${tag}|${what}`;
    if (tag === '64') return written(this.ipv4(value));
    if (tag === '6') return written(this.index(value));
    if (tag === '4') return written(this.valueOfObject(oid, value));
    if (tag !== '4x') return written(value);
    if (value.length === 12) return written(this.mac(value));
    const text = this.valueOfObject(oid, Buffer.from(value, 'hex').toString('latin1'));
    return written(Buffer.from(text, 'latin1').toString('hex'));
  }

  private valueOfObject(oid: string, text: string): string {
    if (usualValue.test(text)) return text;
    return interfaceObject.test(oid) ? this.interfaceName(text) : this.stranger(text);
  }

  /** Of an interface, where digits are port numbers. */
  interfaceName(name: string): string {
    return this.value(name).replaceAll(interfaceWord, (all, port?: string) =>
      port === undefined ? this.standIn(all) : all,
    );
  }

  /** Addresses in the index of a row. */
  private index(oid: string): string {
    const inMacTable = oid.replace(macIndex, (_all, begin: string, numbers: string) => {
      const hex = Buffer.from(numbers.split('.').map(Number)).toString('hex');
      return `${begin}${[...Buffer.from(this.mac(hex), 'hex')].join('.')}`;
    });
    return inMacTable.replace(addressIndex, (_all, begin: string, numbers: string) => {
      return `${begin}${this.ipv4(numbers)}`;
    });
  }

  /** A string, such as a path. */
  string(text: string): string {
    return inString(this.value(inBytes(text)));
  }

  private replaceWord(all: string, word: string): string {
    const known = word.toLowerCase();
    if (!this.words.has(known) || this.words.get(known) === 'secret') return all;
    const at = all.lastIndexOf(word);
    return `${all.slice(0, at)}${this.standIn(word)}${all.slice(at + word.length)}`;
  }

  private known(): KnownWords {
    this.found ??= new KnownWords(
      [...this.words].map(([word, kind]) => ({
        word,
        isAnywhere: kind === 'secret' || /^(?=.*\d).{6,}$/.test(word),
      })),
    );
    return this.found;
  }

  private isKnownAddress(address: string): boolean {
    return this.words.has(address);
  }

  private learnMac(written: string): void {
    const digits = digitsOf(written);
    // Names of devices end with a part of it.
    if (!isGroup(digits) && /[a-f]/.test(digits.slice(6)))
      this.learnWord('serial', digits.slice(6));
  }

  /** Its vendor is not shown, but that it is one of a group. */
  private mac(written: string): string {
    const digits = digitsOf(written);
    if (isGroup(digits)) return written;
    const first = Number.parseInt(digits.slice(0, 2), 16) % 2 === 0 ? '02' : '03';
    const standIn = this.unique(
      `mac ${digits}`,
      digits,
      (random) => `${first}${hex(random).slice(2, 12)}`,
    );
    let at = 0;
    const isUpper = /[A-F]/.test(written);
    return written.replaceAll(/[\da-f]/gi, () => {
      const next = standIn[at++] ?? '0';
      return isUpper ? next.toUpperCase() : next;
    });
  }

  /** Keeps masks, addresses of groups, and those of this computer. */
  private ipv4(written: string): string {
    const numbers = written.split('.').map(Number);
    const [first = 0] = numbers;
    if (!isIPv4(written) || isMask(numbers) || first === 127 || first >= 224) return written;
    return this.unique(`ipv4 ${written}`, written, (random, tries) =>
      numbers
        .map((number, at) => {
          const byte = random[at] ?? 0;
          if (at === 0) return number < 10 ? 1 + (byte % 9) : number < 100 ? 10 : 198;
          // A network, or its broadcast.
          if (at === 3 && (number === 0 || number === 255)) return number;
          // There are few short ones.
          if (number >= 100 || tries > 50) return 100 + (byte % 155);
          return number < 10 ? 1 + (byte % 9) : 10 + (byte % 90);
        })
        .join('.'),
    );
  }

  private ipv6(written: string): string {
    if (!isIPv6(written) || /^(?:::1?$|ff)/i.test(written)) return written;
    const lower = written.toLowerCase();
    const keep = lower.startsWith('fe80') ? 4 : 0;
    return `${written.slice(0, keep)}${this.unique(`ipv6 ${lower}`, lower, (random) => {
      let at = 0;
      return lower
        .slice(keep)
        .replaceAll(/[\da-f]/g, () => `${((random[at++ % 32] ?? 0) % 9) + 1}`);
    })}`;
  }

  private standInOfHost(host: string): string {
    const end = /(?:\.[a-z]{2,})?(?::\d+)?$/i.exec(host)?.[0] ?? '';
    return `${this.standIn(host.slice(0, host.length - end.length))}${end}`;
  }

  /** Somebody's own words. Secrets in them are masked already. */
  private scrambledText(text: string): string {
    return text
      .split(maskedWord)
      .map((part, at) =>
        at % 2 === 1
          ? part
          : part.replaceAll(/[^\s"'\\;,{}[\]<>]+/g, (word) =>
              ordinary.test(word) ? word : this.standIn(word),
            ),
      )
      .join('');
  }

  /** Of equal length: letters for letters, and digits for digits. */
  private standIn(word: string): string {
    const known = this.standIns.get(`as ${word}`);
    if (known !== undefined) return known;
    const lower = word.toLowerCase();
    const isHex = /^(?:0x)?(?:[\da-f]{2}[\s:.-]?){3,}$/.test(lower) && /\d/.test(lower);
    const plain = this.unique(`word ${lower}`, lower, (random) => {
      let at = 0;
      const next = () => random[at++ % random.length] ?? 0;
      return lower.replaceAll(/0x|[\da-z\x80-\xff]/g, (each) => {
        if (each === '0x') return each;
        if (/\d/.test(each)) return String(next() % 10);
        return String.fromCharCode(97 + (next() % (isHex ? 6 : 26)));
      });
    });
    const standIn = [...plain]
      .map((each, at) => (/[A-Z]/.test(word[at] ?? '') ? each.toUpperCase() : each))
      .join('');
    this.standIns.set(`as ${word}`, standIn);
    return standIn;
  }

  /** Different for each original, and never one of the originals, unless they are too short for that. */
  private unique(
    what: string,
    original: string,
    make: (random: Buffer, tries: number) => string,
  ): string {
    const known = this.standIns.get(what);
    if (known !== undefined) return known;
    let standIn = original;
    for (let tries = 0; tries < 100; tries += 1) {
      standIn = make(createHmac('sha256', this.key).update(`${what} ${tries}`).digest(), tries);
      const isOriginal = standIn === original || this.used.has(standIn) || this.words.has(standIn);
      if (!isOriginal && unreplaced(standIn) === undefined) break;
    }
    this.used.add(standIn);
    this.standIns.set(what, standIn);
    return standIn;
  }
}

/** A hardware address in a file that is none of those which replace others. */
export function unreplaced(text: string): string | undefined {
  const all = text.replaceAll(/<secret [\da-f]{12}>/g, '').match(forms.mac) ?? [];
  return all.find((mac) => !isGroup(digitsOf(mac)) && !/^0[23]/.test(digitsOf(mac)));
}

/** Values, and fields with what follows them. */
const jsonToken = /"(?:[^"\\]|\\.)*"(?=\s*(:)?)|[^\s{}[\],:"\ufeff]+/g;
/** What stands between punctuation. */
const wordPattern = String.raw`(?:(?![/?]>)[^\s"'<>&=:;,(){}[\]])+`;
/** Names of elements and fields. */
const namePattern = String.raw`(?<=<[!/?]?)${wordPattern}|${wordPattern}(?=["']?[ \t]{0,8}[=:](?!\/))`;
/** What stays, or begins an element; names; other words. */
const bodyWord = new RegExp(`(${markPattern}|<[!/?]?)|(${namePattern})|${wordPattern}`, 'g');
const strangeWord = new RegExp(String.raw`(${markPattern})|[^\s"'\\;,{}[\]<>]+`, 'g');

/** Too short for a key, or a word of the field. */
function isUsualName(name: string): boolean {
  return /^[a-z]{1,4}$/i.test(name) || (ordinary.test(name) && /\D/.test(name));
}

/** The place of a part of a path: with what stands before it, or its parameter, in which the first part of the value has no other place. */
function placeOf(before: string, form: string): string {
  const at = Math.max(...['?', '&', ';'].map((sign) => form.lastIndexOf(sign)));
  if (at === -1) return form;
  return `?${before.endsWith('=') ? before.slice(at + 1, -1) : form.slice(at + 1)}`;
}

/** A document, or one in each line. */
function isJson(text: string): boolean {
  const plain = text.replace(/^\ufeff/, '');
  return parseJson(plain) !== undefined || plain.split(/\r?\n/).every(isJsonLine);
}

function isJsonLine(line: string): boolean {
  return line.trim() === '' || parseJson(line) !== undefined;
}

/** Values that say nothing about a rack, whatever they stand for. */
const usualValue =
  /^(?:|[01]|on|off|true|false|yes|no|ok|none|null|up|down|enabled?|disabled?|unknown|absent|utf-8|\*\/\*|text\/(?:plain|html|xml)|application\/(?:json|xml|x-www-form-urlencoded))$/i;
/** IF-MIB: ifDescr, ifName. */
const interfaceObject = /^1\.3\.6\.1\.2\.1\.(?:2\.2\.1\.2|31\.1\.1\.1\.1)\./;
/** The number of a port, which stands behind a word, or alone; other words and numbers. */
const interfaceWord =
  /((?:(?<=[a-z])|(?<=[a-z][\s:#-]{1,3}|^)(?!\d+[\s-]+\d))\d{1,3}(?:[/.:]\d{1,3}){0,4}(?![\d.]))|[^\d\s:./-]{3,}|\d+/gi;
/** BRIDGE-MIB and Q-BRIDGE-MIB. */
const macIndex = /^(1\.3\.6\.1\.2\.1\.17\..*\.)((?:\d{1,3}\.){5}\d{1,3})$/;
/** IP-MIB. */
const addressIndex =
  /^(1\.3\.6\.1\.2\.1\.(?:4\.(?:20|22|34|35)|3\.1)\..*\.)((?:\d{1,3}\.){3}\d{1,3})$/;

/** As it is in a text, even if it contains spaces. */
function escaped(secret: string): string[] {
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const json = JSON.stringify(secret).slice(1, -1);
  const inForm = new URLSearchParams([['', secret]]).toString().slice(1);
  return [secret, html, html.replaceAll('"', '&quot;'), json, encodeURIComponent(secret), inForm];
}

function unescapedValue(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}

function kindOf(field: string) {
  return fields.find(([, names]) => names.test(field))?.[0];
}

function inString(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

function digitsOf(mac: string): string {
  return mac.replaceAll(/[^\da-f]/gi, '').toLowerCase();
}

/** Of everybody, of a group of IPv4, or of nobody. Others may be no addresses. */
function isGroup(digits: string): boolean {
  return /^(?:01005e|f{12}|0{12})/.test(digits);
}

/** A netmask, a wildcard, or no address. */
function isMask(numbers: readonly number[]): boolean {
  const bits = numbers.map((each) => each.toString(2).padStart(8, '0')).join('');
  return /^(?:1*0*|0*1*)$/.test(bits);
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

/** Up to an empty line. */
function withoutOwnColumns(text: string, scrambled: (words: string) => string): string {
  let columns: { from: number; until: number }[] = [];
  return text
    .split('\n')
    .map((line) => {
      if (line.trim() === '') columns = [];
      const headings = [...line.matchAll(ownColumns)].filter(
        ({ index }) =>
          /\S/.test(line.slice(0, index)) && /\s{2}$/.test(line.slice(index - 2, index)),
      );
      if (headings.length > 0) {
        columns = headings.map(({ index: from, 0: { length } }) => {
          const rest = line.slice(from + length).search(/\S/);
          return { from, until: rest === -1 ? Number.MAX_SAFE_INTEGER : from + length + rest };
        });
        return line;
      }
      if (/^[\s=-]+$/.test(line)) return line;
      return columns.reduce(
        (rest, { from, until }) =>
          `${rest.slice(0, from)}${scrambled(rest.slice(from, until))}${rest.slice(until)}`,
        line,
      );
    })
    .join('\n');
}
