/** Compares and writes the directory of derived files. */
import type { Dirent } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { mark } from './derived-file.ts';

/** Names of files. */
export interface Difference {
  /** Missing files. */
  missing: string[];
  /** Differ from rack.yaml. */
  stale: string[];
  /** Written earlier, no longer needed. */
  leftOver: string[];
  /** Required, but a file with this name was not created by skolo. */
  foreign: string[];
}

/** Compares a directory with the derived files. Ignores other files. */
export async function compareDerived(
  folder: string,
  files: ReadonlyMap<string, string>,
): Promise<Difference> {
  const difference: Difference = { missing: [], stale: [], leftOver: [], foreign: [] };
  const entries = await entriesIn(folder);
  const folders = new Set(entries.filter((each) => each.isDirectory()).map(({ name }) => name));
  for (const [name, wanted] of files) {
    if (folders.has(name)) {
      difference.foreign.push(name);
      continue;
    }
    const found = await readFileIfExists(join(folder, name));
    if (found === undefined) difference.missing.push(name);
    else if (!isDerived(found)) difference.foreign.push(name);
    else if (found !== wanted) difference.stale.push(name);
  }
  for (const entry of entries) {
    const { name } = entry;
    if (files.has(name) || !entry.isFile()) continue;
    const found = await readFileIfExists(join(folder, name));
    if (found !== undefined && isDerived(found)) difference.leftOver.push(name);
  }
  return difference;
}

/** Writes and removes derived files. Requires that `foreign` is empty. */
export async function writeDerived(
  folder: string,
  files: ReadonlyMap<string, string>,
  { missing, stale, leftOver }: Difference,
): Promise<void> {
  await makeFolder(folder, 0o755);
  for (const name of [...missing, ...stale]) {
    await writeFileAtomic(join(folder, name), files.get(name) ?? '', { mode: 0o644 });
  }
  for (const name of leftOver) await rm(join(folder, name));
}

function isDerived(text: string): boolean {
  return text.slice(0, 200).includes(mark);
}

async function entriesIn(folder: string): Promise<Dirent[]> {
  const entries = (await ifThere(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
