/** A terminal's visible screen after all output. Supports only the control functions that we use (ECMA-48), and throws at others. */
export class Screen {
  private readonly columns: number;
  private readonly rows: number;
  private lines: string[] = [''];
  /** The first line on the screen; earlier ones have scrolled away and cannot be reached. */
  private top = 0;
  private line = 0;
  private column = 0;
  /** All screens so far: a copy whenever the cursor moves up. */
  readonly pictures: string[] = [];

  constructor(size: { columns: number; rows: number }) {
    this.columns = size.columns;
    this.rows = size.rows;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it finds control characters
    for (const [part] of text.matchAll(/\u001b\[[\d;?]*[a-zA-Z]|\r|\n|[^\u001b\r\n]+/g)) {
      this.print(part);
    }
  }

  /** All lines, including those that have scrolled away, without trailing blanks. */
  get text(): string {
    return this.lines.map((line) => line.trimEnd()).join('\n');
  }

  private print(part: string): void {
    if (part === '\r') this.column = 0;
    else if (part === '\n') this.newLine();
    else if (part.startsWith('\x1b')) this.obey(part);
    else for (const letter of part) this.put(letter);
  }

  private obey(sequence: string): void {
    const number = Number.parseInt(sequence.slice(2), 10);
    const at = this.lines[this.line] ?? '';
    switch (sequence.at(-1)) {
      case 'A':
        this.pictures.push(this.text);
        this.line = Math.max(this.top, this.line - (Number.isNaN(number) ? 1 : number));
        return;
      case 'H':
        this.pictures.push(this.text);
        this.line = this.top;
        this.column = 0;
        return;
      case 'K':
        this.lines[this.line] = number === 2 ? '' : at.slice(0, this.column);
        return;
      case 'J':
        if (number === 2) this.lines.fill('', this.top);
        this.lines[this.line] = number === 2 ? '' : at.slice(0, this.column);
        this.lines.length = this.line + 1;
        return;
      case 'm':
        return;
      default:
        throw new TypeError(`unexpected control function ${JSON.stringify(sequence)}`);
    }
  }

  private put(letter: string): void {
    if (this.column === this.columns) {
      this.newLine();
      this.column = 0;
    }
    const at = (this.lines[this.line] ?? '').padEnd(this.column);
    const letters = [...at];
    letters[this.column] = letter;
    this.lines[this.line] = letters.join('');
    this.column++;
  }

  private newLine(): void {
    this.line++;
    this.lines[this.line] ??= '';
    this.top = Math.max(this.top, this.line - this.rows + 1);
  }
}
