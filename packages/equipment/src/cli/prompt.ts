/** The prompt of a device among the lines that a terminal shows. */
import { type Dialect, escapePattern } from './dialect.ts';

export interface PromptPatterns {
  /** The whole line. */
  alone: RegExp;
  atEnd: RegExp;
  atStart: RegExp;
}

/** @param prompt as it was learned, in any mode */
export function promptPatterns(
  { prompt: pattern, prompts }: Pick<Dialect, 'prompt' | 'prompts'>,
  prompt: string,
): PromptPatterns {
  const any = `(?:${prompts(pattern.exec(prompt)?.groups?.base ?? prompt)})`;
  return {
    alone: new RegExp(`^${any}$`),
    atEnd: new RegExp(`${any}$`),
    atStart: new RegExp(`^${any}`),
  };
}

export type Noise = Pick<Dialect, 'noise' | 'preamble' | 'abovePrompt'>;

/** Lines that a device sends without being asked: log messages, what comes in front of an answer or a prompt, empty lines. */
export function isNoise(line: string, { noise, preamble = [], abovePrompt = [] }: Noise): boolean {
  const isLike = (pattern: RegExp) => pattern.test(line);
  return (
    line.trim() === '' || noise.some(isLike) || preamble.some(isLike) || abovePrompt.some(isLike)
  );
}

/**
 * The last prompt, with nothing but log messages behind it: in the lines that follow, or in its own. A device does not repeat
 * the prompt after a message. `before` is text in front of it, in its own line.
 */
export function lastPrompt(
  lines: readonly string[],
  { atEnd, atStart }: PromptPatterns,
  dialect: Noise,
): { index: number; prompt: string; before: string } | undefined {
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = (lines[index] ?? '').trimEnd();
    const end = atEnd.exec(line)?.[0];
    if (end !== undefined) return { index, prompt: end, before: line.slice(0, -end.length) };
    const start = atStart.exec(line)?.[0];
    if (start !== undefined && isNoise(line.slice(start.length).trimStart(), dialect)) {
      return { index, prompt: start, before: '' };
    }
    if (!isNoise(line, dialect)) return undefined;
  }
  return undefined;
}

/** No prompt with text behind it, in its own line, is longer. */
const longestPrompt = 128;

/** The last prompt with nothing but log messages behind it, while only its form is known. */
export function promptBefore(
  lines: readonly string[],
  prompt: RegExp,
  dialect: Noise,
): string | undefined {
  for (const line of lines.map((each) => each.trimEnd()).reverse()) {
    if (prompt.test(line)) return line;
    for (let end = Math.min(line.length, longestPrompt); end > 0; end -= 1) {
      const start = line.slice(0, end).trimEnd();
      if (prompt.test(start) && isNoise(line.slice(end).trimStart(), dialect)) return start;
    }
    if (!isNoise(line, dialect)) return undefined;
  }
  return undefined;
}

/**
 * Patterns of the lines that a device prints behind every prompt, of whatever form: learned from what came behind the last
 * prompts, each of which answered an empty line. They must be alike, except for numbers.
 *
 * @returns none if there were fewer than three prompts, or if what came behind them differs
 */
export function noiseBehind(lines: readonly string[], prompt: RegExp): RegExp[] {
  const shown = lines.map((line) => line.trimEnd());
  const last = shown.findLast((line) => prompt.test(line));
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
