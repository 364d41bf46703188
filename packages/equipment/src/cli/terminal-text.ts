/**
 * What a terminal would show of the bytes that a device sends, on lines without end: backspaces, returns and cursor
 * sequences are carried out, colours and bells dropped. That is what undoes echoes that were edited and pagers that
 * were wiped, and it does not depend on how the bytes were cut into packets. Text is one character for each byte.
 */

/** Escape sequences: CSI, OSC, character sets, the rest. An unfinished one at the end is dropped, too. */
const escapeSequence = new RegExp(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
  /\x1b(?:\[([0-9;?]*)[ -/]*([@-~])?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()*+][A-Z0-9]?|.?)/,
  'y',
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const control = /[\x00-\x08\x0b-\x1f\x7f]/;
/** The end of a line; also as ProCurve scrolls it up, by ESC E, or by deleting a line at the top and inserting one. */
export const lineEnd = new RegExp(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  /\n|\x1bE|\x1b\[1M\x1b\[\d{1,4};\d{1,4}H\x1b\[1L/,
  'g',
);
/** No end of a line is longer. */
export const longestLineEnd = 20;

/** The lines, the last one being where the cursor is. */
export function shownLines(raw: string): string[] {
  return raw.split(lineEnd).map((line) => shownLine(line).text);
}

export interface ShownLine {
  text: string;
  /** Whether the cursor is behind the text: false while the device is wiping it. */
  isCursorAtEnd: boolean;
}

/** One line, without its `\n`. */
export function shownLine(raw: string): ShownLine {
  const trimmed = withoutReturns(raw);
  if (!control.test(trimmed)) {
    const isWiping = raw.endsWith('\r') && trimmed !== '';
    return { text: trimmed, isCursorAtEnd: !isWiping };
  }
  return new Line().play(raw);
}

/** Not by a pattern, which would look at long rows of returns again and again. */
function withoutReturns(raw: string): string {
  let [from, to] = [0, raw.length];
  while (from < to && raw.charAt(from) === '\r') from += 1;
  while (to > from && raw.charAt(to - 1) === '\r') to -= 1;
  return raw.slice(from, to);
}

/** What moves the cursor and wipes, and shows nothing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const wiping = /[\r\b\0 \x1b]/;

/** Sequences that place the cursor or wipe. Colours are none of them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const painting = /\x1b\[[\d;?]{0,20}[HfrhlKJ]/y;

/** Where the painting at this place ends. */
export function paintedTo(raw: string, at: number): number {
  let end = at;
  for (painting.lastIndex = end; painting.test(raw); ) end = painting.lastIndex;
  return end;
}

/**
 * Where a line that begins at `start` has been wiped, by what follows `at`; undefined: it is not wiped. Sequences that follow
 * belong to the wiping, too.
 */
export function wipedAt(raw: string, start: number, at: number): number | undefined {
  const line = new Line();
  line.play(raw.slice(start, at));
  let end = at;
  while (end < raw.length && !line.isFresh()) {
    if (!wiping.test(raw.charAt(end))) return undefined;
    end = line.step(raw, end);
  }
  if (!line.isFresh()) return undefined;
  return paintedTo(raw, end);
}

/** No terminal that we ask for is wider: what is further right is neither moved nor wiped, as that takes its time. */
const widest = 1024;

class Line {
  private cells: string[] = [];
  private cursor = 0;
  /** Blanks at the end of a line that was wiped are not what the device wanted to say. */
  private isWiped = false;

  /** @returns where the next character or sequence begins */
  step(raw: string, at: number): number {
    const char = raw.charAt(at);
    if (char !== '\x1b') {
      this.take(char);
      return at + 1;
    }
    escapeSequence.lastIndex = at;
    const [whole = char, parameters = '', final = ''] = escapeSequence.exec(raw) ?? [];
    this.sequence(final, parameters);
    return at + whole.length;
  }

  /** Whether nothing is shown, and the cursor is where the line begins. */
  isFresh(): boolean {
    return this.cursor === 0 && this.cells.every((cell) => cell === ' ');
  }

  play(raw: string): ShownLine {
    let at = 0;
    while (at < raw.length) at = this.step(raw, at);
    const text = this.cells.join('');
    return {
      // Blanks alone: what is no ASCII may be part of a character.
      text: this.isWiped ? text.replace(/ +$/, '') : text,
      isCursorAtEnd: this.cursor === this.cells.length,
    };
  }

  private take(char: string) {
    if (char === '\r') this.cursor = 0;
    else if (char === '\b') this.cursor = Math.max(0, this.cursor - 1);
    else if (char === '\t' || !control.test(char)) this.put(char);
  }

  private put(char: string) {
    if (this.cursor < this.cells.length) this.isWiped = true;
    this.cells[this.cursor] = char;
    this.cursor += 1;
  }

  private sequence(final: string, parameters: string) {
    const [first = 0, second = 0] = parameters.split(';').map((digits) => Number(digits) || 0);
    switch (final) {
      case 'K':
      case 'J':
        this.erase(first);
        break;
      case 'P':
        if (this.cells.length <= widest) this.cells.splice(this.cursor, Math.max(1, first));
        break;
      case 'C':
        this.moveTo(this.cursor + Math.max(1, first));
        break;
      case 'D':
        this.moveTo(this.cursor - Math.max(1, first));
        break;
      case 'G':
        this.moveTo(first - 1);
        break;
      case 'H':
      case 'f':
        this.moveTo(second - 1);
        break;
    }
  }

  private erase(how: number) {
    if (this.cells.length > (how === 0 ? this.cursor : 0)) this.isWiped = true;
    if (how === 0) this.cells.length = Math.min(this.cells.length, this.cursor);
    else if (how === 1) this.cells.fill(' ', 0, Math.min(this.cursor, widest));
    else {
      this.cells = [];
      this.moveTo(this.cursor);
    }
  }

  private moveTo(column: number) {
    this.cursor = Math.min(Math.max(0, column), widest);
    while (this.cells.length < this.cursor) this.cells.push(' ');
  }
}

/** Bytes as text: UTF-8 where they are valid UTF-8, else each its own character (ISO 8859-1), so that none is lost. */
export function decodeBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return latin1;
  }
}
