import { readFile, writeFile } from 'node:fs/promises';

/** Flips a bit of the byte at that position of the file. */
export async function flip(path: string, position: number, bit = 0) {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(position) ^ (1 << bit), position);
  await writeFile(path, bytes);
}
