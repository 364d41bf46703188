/** The prompt of a device, once it is known, among the lines that a terminal shows. */
import type { Dialect } from './dialect.ts';

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
