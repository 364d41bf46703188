/** Removes secrets from configurations so that changes of a secret remain visible. */
import { createHmac, createSecretKey } from 'node:crypto';
import type { SecretRule } from '../contract/backup.ts';
import { commonSecrets } from './common-secrets.ts';
import { matches } from './text.ts';

export interface Mask {
  /**
   * Replaces each secret that a rule matches with `<secret 3f9a2c>`. The same secret always becomes the same word, and a changed one a
   * different word, from which the secret cannot be derived without the key. The common secrets are always masked.
   *
   * @param rules of the device, in addition to the common ones
   * @param isMeant for a rule's match: false leaves it
   */
  text(text: string, rules: readonly SecretRule[], isMeant?: (match: string) => boolean): string;
}

/** @param key kept by the caller, so that texts masked at different times can be compared */
export function createMask(key: Uint8Array): Mask {
  // Node 24 takes five times as long if the key is bytes.
  const secretKey = createSecretKey(key);

  function word(secret: string) {
    return `<secret ${createHmac('sha256', secretKey).update(secret).digest('hex').slice(0, 6)}>`;
  }

  function text(whole: string, rules: readonly SecretRule[], isMeant = (_match: string) => true) {
    const all = [...new Set([...rules, ...commonSecrets])];
    const inLines = all.flatMap((rule) => (isBlock(rule) ? [] : [lineRule(rule)]));
    const blocks = all.filter(isBlock);
    const masked: string[] = [];
    /** The current block and its lines. */
    let until: RegExp | undefined;
    let hidden: string[] = [];
    function endOfBlock() {
      const block = hidden.join('\n');
      if (hidden.length > 0) masked.push(isMasked.test(block) ? block : word(block));
      hidden = [];
      until = undefined;
    }
    for (const line of whole.split('\n')) {
      if (until && !matches(until, line)) {
        hidden.push(line);
        continue;
      }
      endOfBlock();
      masked.push(maskLine(line, { rules: inLines, word, isMeant }));
      until = blocks.find(({ from }) => matches(from, line))?.until;
    }
    // If its end is missing, all following lines are secret, except for the last line end.
    const isEnded = hidden.at(-1) === '';
    if (isEnded) hidden.pop();
    endOfBlock();
    if (isEnded) masked.push('');
    return masked.join('\n');
  }

  return { text };
}

type Block = Extract<SecretRule, { from: RegExp }>;

/** Whether it masks lines, not parts of a line. */
export function isBlock(rule: SecretRule): rule is Block {
  return 'from' in rule;
}

interface LineRule {
  secret: RegExp;
  unless: RegExp | undefined;
}

function lineRule(rule: Exclude<SecretRule, Block>): LineRule {
  const { secret, unless } = rule instanceof RegExp ? { secret: rule, unless: undefined } : rule;
  return { secret: everywhere(secret), unless };
}

interface Range {
  start: number;
  end: number;
}

const isMasked = /^<secret(?: [0-9a-f]{6})?>$/;

interface LineOptions {
  rules: readonly LineRule[];
  word: (secret: string) => string;
  isMeant: (match: string) => boolean;
}

function maskLine(line: string, { rules, word, isMeant }: LineOptions) {
  const plain = line.replace(/\r$/, '');
  const ranges = rules.flatMap((rule) =>
    rule.unless !== undefined && matches(rule.unless, line)
      ? []
      : secretsIn(plain, rule.secret, isMeant),
  );
  if (ranges.length === 0) return line;
  const words = [...line.matchAll(/<secret(?: [0-9a-f]{6})?>/g)].map(
    ({ index, 0: { length } }) => ({
      start: index,
      end: index + length,
    }),
  );
  let masked = '';
  let position = 0;
  for (const { start, end } of merged(ranges)) {
    // Text that is already masked stays unchanged.
    if (words.some((known) => known.start <= start && end <= known.end)) continue;
    masked += line.slice(position, start) + word(line.slice(start, end));
    position = end;
  }
  return masked + line.slice(position);
}

/** The matches of the rule's groups; without groups, the whole match. */
function secretsIn(line: string, rule: RegExp, isMeant: (match: string) => boolean): Range[] {
  const found: Range[] = [];
  for (const { indices = [], 0: match } of line.matchAll(rule)) {
    if (!isMeant(match)) continue;
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
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && range.start < last.end) last.end = Math.max(last.end, range.end);
    else result.push({ ...range });
  }
  return result;
}

/** Every match in a line, with the positions of its groups. */
function everywhere(rule: RegExp) {
  return new RegExp(rule.source, [...new Set(`${rule.flags.replace('y', '')}dg`)].join(''));
}
