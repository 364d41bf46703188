import { widthOf } from './text.ts';

const indent = '  ';

/**
 * Breaks text between words where the terminal is narrower. Further lines are indented. Without a width all is one line:
 * programs and `grep` read it.
 */
export function paragraph(text: string, columns: number | undefined): string {
  if (columns === undefined || widthOf(text) <= columns) return text;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(breaks).flatMap((each) => pieces(each, columns))) {
    if (line.trim() !== '' && widthOf(`${line} ${word}`) > columns) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** Between words, but not after a number: `40 %`, `3 h` and `12 machines` stay together. */
const breaks = /(?<!(?:^| |\()\d+) /;

/** A word, cut where it is wider than a line. After a comma if there is one: then it is a list of names. */
function pieces(word: string, columns: number): string[] {
  const most = Math.max(8, columns - indent.length);
  const letters = [...word];
  if (letters.length <= most) return [word];
  const comma = letters.lastIndexOf(',', most - 1);
  const end = comma > 0 ? comma + 1 : most;
  return [letters.slice(0, end).join(''), ...pieces(letters.slice(end).join(''), columns)];
}
