/** Width, shortening and styles of text. */
import { stripVTControlCharacters, styleText } from 'node:util';

/**
 * Control characters: names from rack.yaml or a service must not move the cursor, nor change the direction of the text that follows (U+202E
 * and others of UAX #9).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it finds control characters
const control = /[\u0000-\u001f\u007f-\u009f\p{Bidi_Control}]/gu;

/** One line without control characters. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(control, ' ');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it finds control characters
const controlInLines = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Bidi_Control}]/gu;

/** Whether it contains control characters other than line ends and tabs. */
export function hasControl(text: string): boolean {
  return text.replaceAll('\r\n', '\n').search(controlInLines) !== -1;
}

/** Control characters as `cat -v` prints them, `^C`, and bidirectional ones as `less` does: `<U+202E>`. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(controlInLines, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0xff) return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
    return code < 0x80
      ? `^${String.fromCharCode(code ^ 0x40)}`
      : `M-^${String.fromCharCode(code ^ 0xc0)}`;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it finds styles
const styles = /(\u001b\[(?:[12]|22|3[123]|39)m)/;

/** For `Io.out`: control characters become visible, except line ends, tabs and, with colours, what `styled` adds. */
export function printable(text: string, colour: boolean): string {
  if (!colour) return visible(text);
  return text
    .split(styles)
    .map((part, i) => (i % 2 === 1 ? part : visible(part)))
    .join('');
}

/** JSON without control characters: they are escaped. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(controlInLines, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** In characters; wide ones (CJK) count once. */
export function widthOf(text: string): number {
  return [...text].length;
}

/** Shortens the middle, because machine names differ at the end. */
export function shorten(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  if (width <= 1) return '…'.slice(0, width);
  const end = Math.floor((width - 1) * 0.6);
  return [...letters.slice(0, width - 1 - end), '…', ...letters.slice(letters.length - end)].join(
    '',
  );
}

/** Cuts off the end. */
export function cutOff(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  return width < 1
    ? ''
    : `${letters
        .slice(0, width - 1)
        .join('')
        .trimEnd()}…`;
}

/** Items that fit, separated by commas, and the number of others: `pdu-1/5+1`. */
export function shortenList(items: readonly string[], width: number): string {
  for (let shown = items.length; shown > 0; shown--) {
    const more = items.length - shown;
    const text = items.slice(0, shown).join(',') + (more > 0 ? `+${more}` : '');
    if (widthOf(text) <= width) return text;
  }
  return shorten(items.join(','), width);
}

/** `start` and the items, separated by commas. In a terminal, lines break between items and align with the first. */
export function wrapped(
  start: string,
  items: readonly string[],
  columns: number | undefined,
): string {
  const indent = ' '.repeat(widthOf(start));
  const lines: string[] = [];
  let line = start;
  for (const [i, item] of items.entries()) {
    const text = i === items.length - 1 ? item : `${item}, `;
    const fits = columns === undefined || widthOf(line + text.trimEnd()) <= columns;
    if (!fits && line !== start && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += text;
  }
  return [...lines, line].join('\n');
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export function styled(text: string, style: Style | undefined, colour: boolean): string {
  if (!colour || style === undefined || text === '') return text;
  // `colour` already respects NO_COLOR.
  return styleText(style, text, { validateStream: false });
}

const indent = '  ';

/**
 * Wraps text between words, and indents further lines by two more than the first. Without a width, it stays on one line, for programs and
 * `grep`.
 */
export function paragraph(text: string, columns: number | undefined): string {
  if (columns === undefined || widthOf(text) <= columns) return text;
  const lines: string[] = [];
  const start = ' '.repeat(text.search(/\S|$/));
  let line = start;
  for (const word of text
    .trim()
    .split(breaks)
    .flatMap((each) => pieces(each, columns))) {
    if (line.trim() !== '' && widthOf(`${line} ${word}`) > columns) {
      lines.push(line);
      line = start + indent + word;
    } else {
      line = line.trim() === '' ? line + word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** Not after a number: `40%`, `3 h` and `12 machines` stay together. */
const breaks = /(?<!(?:^| |\()\d+) /;

/** Splits a word that is wider than a line, after a comma if it has one. */
function pieces(word: string, columns: number): string[] {
  const most = Math.max(8, columns - indent.length);
  const letters = [...word];
  if (letters.length <= most) return [word];
  const comma = letters.lastIndexOf(',', most - 1);
  const end = comma > 0 ? comma + 1 : most;
  return [letters.slice(0, end).join(''), ...pieces(letters.slice(end).join(''), columns)];
}
