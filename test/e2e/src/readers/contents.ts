/** Messages up to the largest that a reader permits: what costs most by its form, and recordings that a seeded mutator has changed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Most {
  bytes: number;
  /** In addition, at most so many of what each byte counts for. */
  count?: number;
  weights?: Uint8Array;
}

/** Repeated up to the largest permitted message. One character is one byte. */
export interface Content {
  begin?: string;
  piece: string;
  end?: string;
}

export function messageOf({ begin = '', piece, end = '' }: Content, most: Most): Buffer {
  const { bytes, count = Number.POSITIVE_INFINITY, weights = new Uint8Array(256) } = most;
  const weight = (text: string) =>
    Buffer.from(text, 'latin1').reduce((sum, byte) => sum + (weights[byte] ?? 0), 0);
  const left = { bytes: bytes - begin.length - end.length, count: count - weight(begin + end) };
  const times = Math.min(left.bytes / piece.length, left.count / weight(piece));
  return Buffer.from(`${begin}${piece.repeat(Math.max(1, Math.floor(times)))}${end}`, 'latin1');
}

/** Lines of these words, as many and as long as permitted. */
export function linesOf(word: string, { bytes, count = bytes, weights }: Most): string {
  const length = Math.floor((bytes * (weights?.[0x0a] ?? 1)) / count) - 1;
  return `${word.repeat(Math.ceil(length / word.length)).slice(0, length)}\n`;
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1');

/** They cost most where a pattern looks for something behind each of them, or where each becomes an object. */
export const pieces: readonly string[] = [
  '\n',
  '\n ',
  '\r',
  '\r\r\n',
  '\t\n',
  ' ',
  'a',
  'a ',
  '0 ',
  ': ',
  'x=',
  ', ',
  '"\\',
  '"',
  'a {\n',
  '{"a":',
  '[',
  '[\n',
  '<',
  '<a>',
  '</a>\n',
  '/* ',
  'a.',
  'a: b\n',
  '1: ',
  'password ',
  'b8:27:eb:00:00:01 ',
  '10 b8:27:eb:00:00:01 Gi1/0/1\n',
  'interface Gi1/0/1\n',
  'version 1\n',
  '(a) #',
  '\x1b[1C',
  '\x1b[2;2H\x1b[K',
  'ab\b\b',
  '\0',
  '\xff',
  utf8('\u2028'),
  utf8('é😀'),
];

const folder = join(import.meta.dirname, '../../../../../shared/recordings');

/** Texts of real equipment, which are not part of this repository; none without them. */
export function recordings(): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true });
  return files
    .filter((each) => each.isFile() && /\.(?:raw|txt|json|yaml)$/.test(each.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** A recording with parts that are repeated, taken out, moved, or replaced by pieces. */
export function mutated(file: string, random: () => number): Content {
  const text = readFileSync(file).toString('latin1');
  const from = (length: number) => Math.floor(random() * length);
  const part = () => {
    const start = from(text.length);
    return text.slice(start, start + 1 + from(2 ** from(12)));
  };
  const piece = pieces[from(pieces.length)] ?? '';
  const changes: ((repeated: string) => string)[] = [
    (repeated) => repeated,
    (repeated) => repeated.replaceAll('\n', piece.trim()),
    (repeated) => repeated.replaceAll(/\s+/g, piece),
    (repeated) => repeated + piece,
    (repeated) => repeated.replaceAll(/[a-z]+/gi, '\n'),
    (repeated) => repeated.slice(0, from(repeated.length)) + part(),
  ];
  const change = changes[from(changes.length)] ?? part;
  const begin = random() < 0.5 ? text.slice(0, from(text.length)) : part();
  return { begin, piece: change(part()) || piece, ...(random() < 0.5 && { end: part() }) };
}

interface Entry {
  name: string;
  /** Of its header: a file by default. */
  kind?: string;
  content?: string;
}

/** A tar of so many members with these headers. */
export function archiveOf(count: number, entry: (n: number) => Entry): Buffer {
  const blocks = Array.from({ length: count }, (_, n) => {
    const { name, kind = '0', content = '' } = entry(n);
    const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
    return Buffer.concat([headerOf(name, kind, content.length), Buffer.from(content), padding]);
  });
  return Buffer.concat([...blocks, headerOf('last', '0', 0), Buffer.alloc(1024)]);
}

/** POSIX.1-2017, `pax`, "ustar Interchange Format". */
function headerOf(name: string, kind: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 'latin1');
  for (const at of [100, 108, 116]) block.write('0000644\0', at);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write(`        ${kind}`, 148);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  return block;
}

export interface Row {
  /** Its place below `packages/equipment/src/transports` or in another package, and what it reads. */
  reader: string;
  most: Most;
  /** In addition to what is tried with each. */
  worst?: readonly (Content | Buffer)[];
  read: (message: Buffer) => unknown;
  /** If not 100 ms. */
  mostMs?: number;
}
