/** Masks secrets in configurations, so that changes of a secret remain visible. */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { SecretRule } from '../contract/backup.ts';
import { commonSecrets } from './common-secrets.ts';
import { matches } from './text.ts';

export interface Mask {
  /**
   * Replaces each secret that a rule matches with `<secret 3f9a2c417bd0>`. The same secret always becomes the same word, and a changed one a
   * different word, from which the secret cannot be derived without the key. The common secrets are always masked.
   *
   * @param rules of the device, in addition to the common ones
   * @param isMeant for a rule's match: false leaves it
   */
  text(text: string, rules: readonly SecretRule[], isMeant?: (match: string) => boolean): string;
  /** The word for a secret, or for a content that cannot be shown. */
  word(secret: string | Uint8Array): string;
}

/**
 * @param key of one device, because a device that lists guesses in its configuration would show the words of others' secrets. Kept by the
 * caller, so that texts masked at different times can be compared
 */
export function createMask(key: Uint8Array): Mask {
  // Node 24 takes five times as long if the key is bytes.
  const secretKey = createSecretKey(key);

  function word(secret: string | Uint8Array) {
    const digest = createHmac('sha256', secretKey).update(secret).digest('hex');
    return `<secret ${digest.slice(0, wordLength)}>`;
  }

  function text(whole: string, rules: readonly SecretRule[], isMeant = (_match: string) => true) {
    const all = [...new Set([...rules, ...commonSecrets])];
    const inLines = all.flatMap((rule) => (isInLine(rule) ? [finderOf(rule)] : []));
    const about = remembered((line) => ({
      continues: isContinued(line, all),
      until: all.filter(isBlock).find(({ from }) => matches(from, line))?.until,
    }));
    const secretsOf = remembered((line) => secretRanges(line, inLines, isMeant));
    let masked = '';
    let copied = 0;
    function hide(start: number, end: number) {
      const secret = whole.slice(start, end);
      masked += whole.slice(copied, start) + (isMasked.test(secret) ? secret : word(secret));
      copied = end;
    }
    /** The current block's end, and where its lines begin. */
    let until: RegExp | undefined;
    let begin = 0;
    const endAfter = (start: number) => {
      const found = whole.indexOf('\n', start);
      return found === -1 ? whole.length : found;
    };
    for (let start = 0; start <= whole.length; ) {
      let end = endAfter(start);
      if (until === undefined || matches(until, whole.slice(start, end))) {
        if (until !== undefined && begin < start) hide(begin, start - 1);
        let last = about(whole.slice(start, end));
        while (last.continues && last.until === undefined && end < whole.length) {
          const next = end + 1;
          end = endAfter(next);
          last = about(whole.slice(next, end));
        }
        for (const range of secretsOf(whole.slice(start, end))) {
          hide(start + range.start, start + range.end);
        }
        until = last.until;
        begin = end + 1;
      }
      start = end + 1;
    }
    // If its end is missing, all following lines are secret, except for the last line end.
    if (until !== undefined && begin <= whole.length) {
      const end = whole.endsWith('\n') ? whole.length - 1 : whole.length;
      if (begin <= end) hide(begin, end);
    }
    return masked + whole.slice(copied);
  }

  return { text, word };
}

/** For a message that is masked only once. */
export function withoutSecrets(text: string, rules: readonly SecretRule[] = []): string {
  return createMask(randomBytes(16)).text(text, rules);
}

/** In hexadecimal digits. Earlier releases used six. */
const wordLength = 12;
const isMasked = /^<secret(?: [0-9a-f]{6}| [0-9a-f]{12})?>$/;
const maskedWords = /<secret(?: [0-9a-f]{6}| [0-9a-f]{12})?>/g;

type Block = Extract<SecretRule, { from: RegExp }>;
type InLine = RegExp | Extract<SecretRule, { secret: RegExp }>;

/** Whether it masks lines, not parts of a line. */
export function isBlock(rule: SecretRule): rule is Block {
  return 'from' in rule;
}

/** Whether it masks parts of a line. */
export function isInLine(rule: SecretRule): rule is InLine {
  return rule instanceof RegExp || 'secret' in rule;
}

/** Whether it is one with the next line. */
export function isContinued(line: string, rules: readonly SecretRule[]): boolean {
  return rules.some((rule) => 'continues' in rule && matches(rule.continues, line));
}

interface Finder {
  secret: RegExp;
  /** Finds all matches, with the positions of their groups, which takes much longer. */
  everywhere: RegExp;
  unless: RegExp | undefined;
}

function finderOf(rule: InLine): Finder {
  const { secret, unless } = rule instanceof RegExp ? { secret: rule, unless: undefined } : rule;
  const flags = new Set(`${secret.flags.replace('y', '')}dg`);
  return { secret, everywhere: new RegExp(secret.source, [...flags].join('')), unless };
}

interface Range {
  start: number;
  end: number;
}

/** Number of recent lines that are remembered: equipment that repeats a line a million times costs little. */
const mostRemembered = 1000;

function remembered<T>(look: (line: string) => T): (line: string) => T {
  const known = new Map<string, T>();
  return (line) => {
    let result = known.get(line);
    if (result === undefined) {
      result = look(line);
      if (known.size >= mostRemembered) known.clear();
      known.set(line, result);
    }
    return result;
  };
}

/** In their order. Text that is already masked is not among them. */
function secretRanges(
  line: string,
  rules: readonly Finder[],
  isMeant: (match: string) => boolean,
): Range[] {
  const plain = line.endsWith('\r') ? line.slice(0, -1) : line;
  const ranges = rules.flatMap((rule) =>
    matches(rule.secret, line) ? secretsIn(plain, rule, isMeant) : [],
  );
  if (ranges.length === 0) return ranges;
  const words = [...line.matchAll(maskedWords)].map(({ index, 0: { length } }) => ({
    start: index,
    end: index + length,
  }));
  let next = 0;
  return merged(ranges).filter(({ start, end }) => {
    while ((words[next]?.end ?? line.length) <= start) next += 1;
    const word = words[next];
    return word === undefined || start < word.start || word.end < end;
  });
}

/** The matches of the rule's groups; without groups, the whole match. */
function secretsIn(
  line: string,
  { everywhere, unless }: Finder,
  isMeant: (match: string) => boolean,
): Range[] {
  const found: Range[] = [];
  for (const { indices = [], index, 0: match } of line.matchAll(everywhere)) {
    if (unless?.test(line.slice(0, index)) || !isMeant(match)) continue;
    const [whole, ...groups] = indices;
    const named = groups.filter((group) => group !== undefined && group[0] < group[1]);
    for (const range of named.length > 0 || groups.some(isThere) ? named : [whole]) {
      if (range && range[0] < range[1]) found.push({ start: range[0], end: range[1] });
    }
  }
  return found;
}

function isThere(group: unknown) {
  return group !== undefined;
}

/** Overlapping parts are one secret. */
function merged(ranges: Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && range.start < last.end) last.end = Math.max(last.end, range.end);
    else result.push({ ...range });
  }
  return result;
}
