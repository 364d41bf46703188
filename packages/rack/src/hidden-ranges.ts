/**
 * Within `{ }`, YAML takes `switch-1/[1-40]` for a text and a list without a comma in between: never valid. A range that
 * stands right behind a letter, digit, hyphen or slash is therefore hidden from the parser, in as many characters, and
 * shown again afterwards. Everywhere else that changes nothing.
 */

// Of the private use area: nobody's letters.
const letters = { '[': '\uE6A0', ']': '\uE6A1', ',': '\uE6A2' } as const;
const range = /(?<=[\w./\]\\-])\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\]/g;

/** Text for the parser, and how what it found is shown again. */
export function hideRanges(text: string): { hidden: string; show: (text: string) => string } {
  // Who does use these letters can quote his ranges.
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
