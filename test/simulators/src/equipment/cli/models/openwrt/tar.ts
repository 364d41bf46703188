/**
 * Archives as BusyBox's tar writes them: ustar, no extensions.
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
