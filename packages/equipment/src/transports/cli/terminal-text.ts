/**
 * Computes what a terminal would show of equipment's output, on lines of unlimited length: applies backspaces, carriage returns and
 * cursor sequences, and drops colours and bells. This undoes edited echoes and erased pagers, independently of how the bytes were split
 * into packets. Text has one character per byte.
 */

/** Escape sequences: CSI, OSC, character sets, others. Also drops an incomplete one at the end. */
const escapeSequence = new RegExp(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
  /\x1b(?:\[([0-9;?]*)[ -/]*([@-~])?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()*+][A-Z0-9]?|.?)/,
  'y',
);
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const control = /[\x00-\x08\x0b-\x1f\x7f]/;
/** A line end; also ProCurve's, which scrolls by ESC E, or by deleting a line at the top and inserting one. */
export const lineEnd = new RegExp(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  /\n|\x1bE|\x1b\[1M\x1b\[\d{1,4};\d{1,4}H\x1b\[1L/,
  'g',
);
/** No line end is longer than this. */
export const longestLineEnd = 20;

/** The lines; the last one has the cursor. */
export function shownLines(raw: string): string[] {
  return raw.split(lineEnd).map((line) => shownLine(line).text);
}

export interface ShownLine {
  text: string;
  /** Whether the cursor is after the text: false while the device is erasing it. */
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

/** Not with a pattern, which would scan long runs of carriage returns repeatedly. */
function withoutReturns(raw: string): string {
  let [from, to] = [0, raw.length];
  while (from < to && raw.charAt(from) === '\r') from += 1;
  while (to > from && raw.charAt(to - 1) === '\r') to -= 1;
  return raw.slice(from, to);
}

/** Sequences that move the cursor or erase, and show nothing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const wiping = /[\r\b\0 \x1b]/;

/** Sequences that position the cursor or erase, but not colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const painting = /\x1b\[[\d;?]{0,20}[HfrhlKJ]/y;

/** The end of the drawing at this position, of so many sequences. */
export function paintedTo(raw: string, at: number, most = 1000): number {
  let end = at;
  painting.lastIndex = end;
  for (let i = 0; i < most && painting.test(raw); i += 1) end = painting.lastIndex;
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

/** No terminal that we request is wider: further text is neither moved nor erased, to save time. */
const widest = 512;

class Line {
  private cells: string[] = [];
  private cursor = 0;
  /** Trailing blanks of an erased line are not part of the device's text. */
  private isWiped = false;

  /** @returns where the next character or sequence begins */
  step(raw: string, at: number): number {
    const char = raw.charAt(at);
    if (char !== '\x1b') {
      this.applyChar(char);
      return at + 1;
    }
    escapeSequence.lastIndex = at;
    const [whole = char, parameters = '', final = ''] = escapeSequence.exec(raw) ?? [];
    this.sequence(final, parameters);
    return at + whole.length;
  }

  /** Whether nothing is visible, and the cursor is at the start of the line. */
  isFresh(): boolean {
    return this.cursor === 0 && this.cells.every((cell) => cell === ' ');
  }

  play(raw: string): ShownLine {
    let at = 0;
    while (at < raw.length) at = this.step(raw, at);
    const text = this.cells.join('');
    return {
      // Only blanks: non-ASCII bytes may be part of a character.
      text: this.isWiped ? text.replace(/(?<! ) +$/, '') : text,
      isCursorAtEnd: this.cursor === this.cells.length,
    };
  }

  private applyChar(char: string) {
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
    const [first = 0, second = 0] = parameters.split(';', 2).map((digits) => Number(digits) || 0);
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

/** Bytes as text: UTF-8 if valid, otherwise each byte as a character (ISO 8859-1), so that none is lost. */
export function decodeBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return latin1;
  }
}
