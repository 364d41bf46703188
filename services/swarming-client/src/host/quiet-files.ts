/** Files of the kernel and of others, which may disappear at any moment. */
import { readdir, readFile } from 'node:fs/promises';

/** Undefined: it does not exist, or is unreadable. */
export function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Sorted; empty if the directory does not exist, or is unreadable. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
