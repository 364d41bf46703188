/**
 * Within `{ }`, YAML reads `switch-1/[1-40]` as a text and a list without a comma, which is not valid. A range directly
 * after a letter, digit, hyphen or slash is therefore replaced by other characters of the same number, and restored after
 * parsing.
 */

// Private use area.
const letters = { '[': '\uE6A0', ']': '\uE6A1', ',': '\uE6A2' } as const;
const range = /(?<=[\w./\]\\-])\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\]/g;

/** Text for the parser, and a function that restores ranges. */
export function hideRanges(text: string): { hidden: string; show: (text: string) => string } {
  // Text that uses these characters must quote its ranges.
  if (letter.test(text)) return { hidden: text, show: (same) => same };
  const hidden = text.replace(range, hide);
  return { hidden, show: hidden === text ? (same) => same : show };
}

function hide(found: string): string {
  return found.replace('[', letters['[']).replace(']', letters[']']).replaceAll(',', letters[',']);
}

const letter = /[\uE6A0-\uE6A2]/;

function show(text: string): string {
  if (!letter.test(text)) return text;
  return text
    .replaceAll(letters['['], '[')
    .replaceAll(letters[']'], ']')
    .replaceAll(letters[','], ',');
}
