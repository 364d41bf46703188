import { StringDecoder } from 'node:string_decoder';

const mostCharacters = 64 * 1024;

/** Splits a stream of bytes into lines. Longer ones than 64 KiB are split, to limit memory. */
export class Lines {
  private readonly decoder = new StringDecoder('utf8');
  private readonly onLine: (text: string) => void;
  private rest: string[] = [];
  private length = 0;

  constructor(onLine: (text: string) => void) {
    this.onLine = onLine;
  }

  add(bytes: Buffer): void {
    const [first = '', ...others] = this.decoder.write(bytes).split('\n');
    this.append(first);
    for (const text of others) {
      this.flush();
      this.append(text);
    }
  }

  /** The last line may be unterminated. */
  end(): void {
    this.append(this.decoder.end());
    if (this.length > 0) this.flush();
  }

  private append(text: string): void {
    let left = text;
    while (this.length + left.length > mostCharacters) {
      const fits = mostCharacters - this.length;
      this.addToLine(left.slice(0, fits));
      left = left.slice(fits);
      this.flush();
    }
    this.addToLine(left);
  }

  private addToLine(text: string): void {
    if (text === '') return;
    this.rest.push(text);
    this.length += text.length;
  }

  private flush(): void {
    const line = this.rest.join('');
    this.rest = [];
    this.length = 0;
    this.onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
