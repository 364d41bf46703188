/**
 * Archives as BusyBox's tar writes and reads them: ustar, no extensions.
 *
 * Source: POSIX.1-2017, `pax`, "ustar Interchange Format".
 */

interface TarFile {
  name: string;
  mode: number;
  /** In seconds since 1970. */
  mtime: number;
  content: Buffer;
}

const block = 512;

export function createTar(files: readonly TarFile[]): Buffer {
  const members = files.flatMap((file) => {
    const { content } = file;
    const rest = (block - (content.length % block)) % block;
    return [header(file), content, Buffer.alloc(rest)];
  });
  return Buffer.concat([...members, Buffer.alloc(2 * block)]);
}

/** What is in an archive; undefined: it is none, or not whole. */
export function readTar(bytes: Buffer): TarFile[] | undefined {
  const files: TarFile[] = [];
  for (let at = 0; at + block <= bytes.length; ) {
    const head = bytes.subarray(at, at + block);
    if (head.every((byte) => byte === 0)) return files;
    const octal = (from: number, length: number) =>
      Number.parseInt(head.toString('latin1', from, from + length), 8) || 0;
    const size = octal(124, 12);
    const prefix = text(head, 345, 155);
    const name = `${prefix === '' ? '' : `${prefix}/`}${text(head, 0, 100)}`;
    const content = Buffer.from(bytes.subarray(at + block, at + block + size));
    if (content.length < size) return undefined;
    const kind = String.fromCharCode(head[156] ?? 0);
    if (kind === '0' || kind === '\0') {
      files.push({ name, mode: octal(100, 8), mtime: octal(136, 12), content });
    }
    at += block + Math.ceil(size / block) * block;
  }
  return undefined;
}

function text(head: Buffer, from: number, length: number): string {
  return head.toString('utf8', from, from + length).replace(/\0.*$/s, '');
}

function header({ name, mode, mtime, content }: TarFile): Buffer {
  const head = Buffer.alloc(block);
  const octal = (value: number, length: number) =>
    `${value.toString(8).padStart(length - 1, '0')}\0`;
  head.write(name, 0, 'utf8');
  head.write(octal(mode, 8), 100);
  head.write(octal(0, 8), 108);
  head.write(octal(0, 8), 116);
  head.write(octal(content.length, 12), 124);
  head.write(octal(Math.floor(mtime), 12), 136);
  head.write('        ', 148);
  head.write('0', 156);
  head.write('ustar  \0', 257);
  head.write('root', 265);
  head.write('root', 297);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return head;
}
