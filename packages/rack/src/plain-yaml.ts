/**
 * A fast reader for the plain part of YAML that inventories are written in: block maps and lists, flow collections on
 * one line, plain and simply quoted scalars, comments.
 *
 * The full parser keeps every space and comment, for positions, and spends 200 ms on a thousand machines. Positions are
 * needed only for errors, so valid files are read here, and the rest there. Anything that is not surely plain (anchors,
 * tags, block scalars, escapes, text over several lines, odd indentation, duplicate keys) is given up at once: then
 * the full parser decides. A test compares the two on generated and on mutilated text.
 */

/** The value, or undefined where the text must go to the full parser. */
export function readPlainYaml(text: string): { value: unknown } | undefined {
  if (/[\r\uFEFF]/.test(text)) return undefined;
  try {
    const reader = new Reader(text);
    return { value: reader.document() };
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class NotPlain extends Error {}

interface Line {
  indent: number;
  text: string;
}

const comment = /^#[\t\x20-\x7E\u00A0-\uD7FF\uF900-\uFFFD]*$/;
const rest = /(?: +#[\t\x20-\x7E\u00A0-\uD7FF\uF900-\uFFFD]*| *)$/y;
const key =
  /([A-Za-z_](?:[\w.@+-]|(?<=[\w.\]-])\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\])*|"[\x20-\x21\x23-\x5B\x5D-\x7E]*"):(?= |$)/y;
const quoted = /"([\x20-\x21\x23-\x5B\x5D-\x7E]*)"|'([\x20-\x26\x28-\x7E]*)'(?!')/y;
/** Plain scalars begin with a letter, digit, dot, slash or underscore here; `: ` and ` #` end them. */
const plain = /[\w./](?:[!"$-9;-~]|:(?=[!-~])| (?=[!"$-~]))*/y;
const flowPlain =
  /[\w./](?:[\w./@+=~%*-]|:(?=[\w./@+-])|(?<=[\w./\]-])\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\]| (?=[\w./@+-]))*/y;

class Reader {
  private readonly lines: Line[] = [];
  private next = 0;
  private text = '';
  private at = 0;

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const indent = line.search(/[^ ]/);
      if (indent < 0) continue;
      if (line[indent] === '#') {
        if (!comment.test(line.slice(indent))) throw new NotPlain();
      } else {
        this.lines.push({ indent, text: line });
      }
    }
  }

  document(): unknown {
    const value = this.map(0);
    if (this.next < this.lines.length) throw new NotPlain();
    return value;
  }

  /** The line that comes next, if it is indented exactly so. */
  private peek(indent: number): Line | undefined {
    const line = this.lines[this.next];
    return line?.indent === indent ? line : undefined;
  }

  private map(indent: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let line = this.peek(indent); line !== undefined; line = this.peek(indent)) {
      if (line.text.startsWith('- ', indent)) break;
      this.begin(line.text, indent);
      const name = this.key();
      if (Object.hasOwn(map, name)) throw new NotPlain();
      map[name] = this.isAtEnd() ? this.below(indent) : this.inline(plain);
    }
    if (Object.keys(map).length === 0) throw new NotPlain();
    return map;
  }

  private list(indent: number): unknown[] {
    const list: unknown[] = [];
    for (
      let line = this.peek(indent);
      line?.text.startsWith('- ', indent);
      line = this.peek(indent)
    ) {
      const column = line.text.slice(indent + 1).search(/[^ ]/) + indent + 1;
      key.lastIndex = column;
      if (key.test(line.text)) {
        // A map that begins behind the hyphen goes on below, at the same column.
        this.lines[this.next] = { indent: column, text: line.text };
        list.push(this.map(column));
      } else {
        this.begin(line.text, column);
        list.push(this.inline(plain));
      }
      if ((this.lines[this.next]?.indent ?? 0) > indent) throw new NotPlain();
    }
    return list;
  }

  private begin(text: string, at: number): void {
    this.text = text;
    this.at = at;
    this.next++;
  }

  /** What stands below a key that has nothing on its line. */
  private below(indent: number): unknown {
    const line = this.lines[this.next];
    if (line !== undefined && line.indent >= indent && line.text.startsWith('- ', line.indent)) {
      return this.list(line.indent);
    }
    return line !== undefined && line.indent > indent ? this.map(line.indent) : null;
  }

  private key(): string {
    const found = this.take(key);
    const name = found.slice(0, -1);
    if (found.length > 500 || /^(__proto__|null|true|false)$/i.test(name)) throw new NotPlain();
    this.spaces();
    return name.startsWith('"') ? name.slice(1, -1) : name;
  }

  /** A value that ends on its line, and so does the line. */
  private inline(scalar: RegExp): unknown {
    const value = this.value(scalar);
    if (!this.isAtEnd()) throw new NotPlain();
    const following = this.lines[this.next];
    // Text that goes on below, indented.
    if (following !== undefined && following.indent > this.lineIndent()) throw new NotPlain();
    return value;
  }

  private lineIndent(): number {
    return this.lines[this.next - 1]?.indent ?? 0;
  }

  private value(scalar: RegExp): unknown {
    const first = this.text[this.at];
    if (first === '{') return this.flowMap();
    if (first === '[') return this.flowList();
    if (first === '"' || first === "'") return this.take(quoted).slice(1, -1);
    return resolve(this.take(scalar));
  }

  private flowMap(): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    this.at++;
    for (this.spaces(); this.text[this.at] !== '}'; this.separator('}')) {
      const name = this.key();
      if (Object.hasOwn(map, name)) throw new NotPlain();
      map[name] = this.value(flowPlain);
    }
    this.at++;
    return map;
  }

  private flowList(): unknown[] {
    const list: unknown[] = [];
    this.at++;
    for (this.spaces(); this.text[this.at] !== ']'; this.separator(']')) {
      list.push(this.value(flowPlain));
    }
    this.at++;
    return list;
  }

  private separator(end: string): void {
    this.spaces();
    if (this.text[this.at] === ',') {
      this.at++;
      this.spaces();
    } else if (this.text[this.at] !== end) {
      throw new NotPlain();
    }
  }

  private spaces(): void {
    while (this.text[this.at] === ' ') this.at++;
  }

  private isAtEnd(): boolean {
    // `key()` has skipped the space that a comment needs before it.
    rest.lastIndex = this.text[this.at - 1] === ' ' ? this.at - 1 : this.at;
    return rest.test(this.text);
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new NotPlain();
    this.at += found.length;
    return found;
  }
}

/** The core schema of YAML 1.2, as far as it is plain. */
function resolve(scalar: string): unknown {
  if (/^[\d.]/.test(scalar)) {
    if (/^(0|[1-9]\d{0,14})$/.test(scalar)) return Number(scalar);
    const numeric = /^(0o[0-7]+|0x[\da-f]+|\d+|(\d+\.\d*|\.\d+|\d+)(e[+-]?\d+)?|\.inf|\.nan)$/i;
    if (numeric.test(scalar)) throw new NotPlain();
    return scalar;
  }
  if (scalar === 'true') return true;
  if (scalar === 'false') return false;
  if (/^(null|true|false)$/i.test(scalar)) throw new NotPlain();
  return scalar;
}
