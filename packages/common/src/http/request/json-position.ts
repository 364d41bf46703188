/**
 * Position of an error in JSON: the offset of the first wrong character, the length if the text is truncated, undefined
 * for valid JSON. The error of `JSON.parse` does not always have it, so this searches for the longest beginning that could
 * continue. It takes up to twenty calls of `JSON.parse`.
 */
export function jsonErrorOffset(text: string): number | undefined {
  if (jsonError(text) === undefined) return undefined;
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (couldGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

/** Whether the only error, if any, is that the text ends. */
function couldGoOn(beginning: string): boolean {
  const error = jsonError(beginning);
  if (error === undefined || error === 'Unexpected end of JSON input') return true;
  const [, position] = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(error) ?? [];
  return Number(position) >= beginning.length;
}

/** The message of `JSON.parse`; undefined for valid JSON. */
function jsonError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `line 3, column 7` of an offset, both from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
