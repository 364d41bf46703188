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
  if (/[\uE6A0-\uE6A2]/.test(text)) return { hidden: text, show: (same) => same };
  return { hidden: text.replace(range, hide), show };
}

function hide(found: string): string {
  return found.replace('[', letters['[']).replace(']', letters[']']).replaceAll(',', letters[',']);
}

function show(text: string): string {
  return text
    .replaceAll(letters['['], '[')
    .replaceAll(letters[']'], ']')
    .replaceAll(letters[','], ',');
}
