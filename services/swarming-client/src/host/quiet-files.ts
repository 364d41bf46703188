/** Files of the kernel and of others, which may be gone at any moment. */
import { readdir, readFile } from 'node:fs/promises';

/** Undefined: it is not there, or cannot be read. */
export function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Sorted; none where the folder is not there, or cannot be read. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
