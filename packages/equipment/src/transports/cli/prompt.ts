/** Finds a device's prompt in the lines of a terminal. */
import { type Dialect, escapePattern } from './dialect.ts';

export interface PromptPatterns {
  /** The whole line. */
  alone: RegExp;
  atEnd: RegExp;
  atStart: RegExp;
}

const time = String.raw`(?:\d{4}-\d\d-\d\d[ T])?\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?`;
/** Before a prompt: `[14:03:22] `, `2026-11-26 14:03 `. */
const clock = String.raw`[[(<]?${time}[\])>]?:? ?`;
const clockBefore = new RegExp(`^${clock}`);
/** Behind the name: `leaf1.14:03:22#`, `leaf1 [14:03]>`. */
const clockBehind = String.raw`[ .,:@_-]?(?:\[${time}\]|\(${time}\)|<${time}>|(?<!\d)${time}(?![\d:])) ?`;

/** What is left of a prompt, and the pattern of the clock before it. */
function behindClock(prompt: string): [rest: string, before: string] {
  const rest = prompt.replace(clockBefore, '');
  return [rest, rest === prompt ? '' : clock];
}

/** Whether a line has a dialect's form of a prompt. */
export function isLikePrompt(line: string, { prompt }: Pick<Dialect, 'prompt'>): boolean {
  if (prompt.test(line)) return true;
  const bare = withoutClocks(line);
  return bare !== line && prompt.test(bare);
}

const clocksBehind = new RegExp(clockBehind, 'g');

function withoutClocks(prompt: string, instead = ''): string {
  return behindClock(prompt)[0].replaceAll(clocksBehind, instead);
}

/** Numbers that change from one prompt to the next, such as those of commands: places among the parts of `split`, without the clocks. */
type Changing = ReadonlySet<number>;

function partsOf(prompt: string): string[] {
  return withoutClocks(prompt, anyTime).split(/(\d+)/);
}

/** Which numbers differ between two prompts; undefined if anything else does. */
export function changedNumbers(one: string, other: string): number[] | undefined {
  const [a, b] = [partsOf(one), partsOf(other)];
  const places = a.flatMap((part, place) => (part === b[place] ? [] : [place]));
  return a.length === b.length && places.every((place) => place % 2 === 1) ? places : undefined;
}

/** Numbers that no prompt contains: instead of one that changes, and of a clock behind the name. */
const [anyNumber, anyTime] = ['7'.repeat(20), '8'.repeat(20)];

/** A pattern for prompts with these numbers and times; a mode may come before a time. */
function atAnyTime(source: string): string {
  return source
    .replaceAll(anyNumber, String.raw`\d+`)
    .replaceAll(anyTime, String.raw`(?: ?\([^()]*\))?${clockBehind}`);
}

function marked(prompt: string, changing: Changing): string {
  return partsOf(prompt)
    .map((part, place) => (changing.has(place) ? anyNumber : part))
    .join('');
}

/** The line behind this prompt, at any time; the line itself if it does not begin with it. */
export function behindPrompt(line: string, own: RegExp): string {
  return own.test(line) ? line.replace(own, '').trimStart() : line;
}

/** The beginning of a line with this prompt, at any time. */
export function samePrompt(prompt: string, changing: Changing): RegExp {
  const source = atAnyTime(escapePattern(marked(prompt, changing)));
  return new RegExp(`^${behindClock(prompt)[1]}${source}`);
}

/** @param prompt as learned, in any mode */
export function promptPatterns(
  { prompt: pattern, prompts }: Pick<Dialect, 'prompt' | 'prompts'>,
  prompt: string,
  changing: Changing = new Set(),
): PromptPatterns {
  const own = marked(prompt, changing);
  const form = pattern.exec(own);
  // A name with a clock behind it may not have the form of a name.
  const isOdd = form === null && own.includes(anyTime);
  const source = isOdd
    ? `${escapePattern(own.slice(0, -1))}[>#$%]`
    : prompts(form?.groups?.base ?? own);
  const any = `${behindClock(prompt)[1]}(?:${atAnyTime(source)})`;
  return {
    alone: new RegExp(`^${any}$`),
    atEnd: new RegExp(`${any}$`),
    atStart: new RegExp(`^${any}`),
  };
}

export type Noise = Pick<Dialect, 'noise' | 'preamble' | 'abovePrompt'>;

/** Patterns may take the square of a line's length, so that longer lines match none. */
export const longestMatched = 4096;

/** Unsolicited lines: log messages, headers of answers or prompts, empty lines. */
export function isNoise(line: string, { noise, preamble = [], abovePrompt = [] }: Noise): boolean {
  const isLike = (pattern: RegExp) => line.length <= longestMatched && pattern.test(line);
  return (
    line.trim() === '' || noise.some(isLike) || preamble.some(isLike) || abovePrompt.some(isLike)
  );
}

/**
 * The last prompt, followed only by log messages, in its own line or the next ones. A device does not repeat the prompt after a message.
 * `before` is text before it in the same line.
 */
export function lastPrompt(
  lines: readonly string[],
  { atEnd, atStart }: PromptPatterns,
  dialect: Noise,
): { index: number; prompt: string; before: string } | undefined {
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = (lines[index] ?? '').trimEnd();
    const end = atEnd.exec(line.slice(-longestMatched))?.[0];
    if (end !== undefined) return { index, prompt: end, before: line.slice(0, -end.length) };
    const start = atStart.exec(line.slice(0, longestMatched))?.[0];
    if (start !== undefined && isNoise(line.slice(start.length).trimStart(), dialect)) {
      return { index, prompt: start, before: '' };
    }
    if (!isNoise(line, dialect)) return undefined;
  }
  return undefined;
}

/** A prompt followed by text in its line is not longer than this. */
const longestPrompt = 128;

/** The last prompt followed only by log messages, while only its form is known. */
export function promptBefore(
  lines: readonly string[],
  prompt: RegExp,
  dialect: Noise,
): string | undefined {
  for (const line of lines.map((each) => each.trimEnd()).reverse()) {
    if (isLikePrompt(line, { prompt })) return line;
    for (let end = Math.min(line.length, longestPrompt); end > 0; end -= 1) {
      // What follows is seldom noise, so it is tested first: a described prompt may be slow.
      if (!isNoise(line.slice(end).trimStart(), dialect)) continue;
      const start = line.slice(0, end).trimEnd();
      if (isLikePrompt(start, { prompt })) return start;
    }
    if (!isNoise(line, dialect)) return undefined;
  }
  return undefined;
}

/**
 * Patterns of the lines that a device prints after every prompt, of any form: learned from the output after the last prompts, each of which
 * answered an empty line. It must be the same, except for numbers.
 *
 * @returns none if there were fewer than three prompts, or if the output after them differs
 */
export function noiseBehind(lines: readonly string[], prompt: RegExp): RegExp[] {
  const shown = lines.map((line) => line.trimEnd());
  const last = shown.findLast((line) => isLikePrompt(line, { prompt }));
  const at = shown.flatMap((line, index) => (line === last ? [index] : []));
  if (at.length < 3) return [];
  const [, first, second, third] = at
    .concat(shown.length)
    .slice(-4)
    .map((end, i, ends) =>
      shown
        .slice((ends[i - 1] ?? end) + 1, end)
        .filter((line) => line !== '')
        .map((line) => `^${escapePattern(line).replaceAll(/\d+/g, String.raw`\d+`)}$`),
    );
  const isAlike = first?.join('\n') === second?.join('\n') && `${second}` === `${third}`;
  return isAlike ? [...new Set(third)].map((pattern) => new RegExp(pattern)) : [];
}
