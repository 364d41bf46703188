/**
 * Commands of keywords that may be abbreviated as long as they are unambiguous, as Fastpath and IOS take them.
 *
 * A pattern is words: `poe opmode auto|shutdown` with a choice, `interface <port>` with anything in the place of `<…>`,
 * and `description <text…>` with the rest of the line.
 */
interface Command<Run> {
  pattern: string;
  run: Run;
}

export type Found<Run> =
  | { kind: 'command'; run: Run; words: string[] }
  | { kind: 'ambiguous' }
  | { kind: 'incomplete' }
  /** `column`: where in the line the first word is that does not fit. */
  | { kind: 'invalid'; column: number };

/** The command that a line means. `words` of the answer are in full. */
export function findCommand<Run>(commands: readonly Command<Run>[], line: string): Found<Run> {
  let left = commands.map(({ pattern, run }) => ({ parts: pattern.split(' '), run }));
  const words: string[] = [];
  const typed = [...line.matchAll(/\S+/g)];
  for (const [i, { 0: word, index: column }] of typed.entries()) {
    const rest = left.find(({ parts }) => parts[i]?.endsWith('…>'));
    if (rest) {
      return { kind: 'command', run: rest.run, words: [...words, line.slice(column).trimEnd()] };
    }
    const keywords = new Set(left.flatMap(({ parts }) => meanings(parts[i], word)));
    const exact = [...keywords].find((each) => each.toLowerCase() === word.toLowerCase());
    if (exact === undefined && keywords.size > 1) return { kind: 'ambiguous' };
    const keyword = exact ?? [...keywords][0];
    const fits = (part: string | undefined) =>
      keyword === undefined ? part?.startsWith('<') : part?.split('|').includes(keyword);
    left = left.filter(({ parts }) => fits(parts[i]));
    if (left.length === 0) return { kind: 'invalid', column };
    words.push(keyword ?? word);
  }
  const whole = left.find(({ parts }) => parts.length === typed.length);
  return whole ? { kind: 'command', run: whole.run, words } : { kind: 'incomplete' };
}

/** Keywords of a part of a pattern that a typed word may stand for. */
function meanings(part: string | undefined, word: string): string[] {
  if (part === undefined || part.startsWith('<')) return [];
  return part.split('|').filter((each) => each.toLowerCase().startsWith(word.toLowerCase()));
}
