/** `npm run build -w packages/console`: builds the pages if they are older than the sources. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const source = import.meta.dirname;
/** The pages contain the services' routes, but comparing them would require Node to load everything. */
const sources = [source, join(source, '../../api/src'), join(source, '../../alerts/src/delivery')];
const pages = join(source, '../dist');
const mark = '.built-from';

export async function buildPages(): Promise<void> {
  const wanted = await digestOfSources();
  const found = await readFile(join(pages, mark), 'utf8').catch(() => '');
  if (found === wanted) return;
  // Appears as a whole or not at all.
  const draft = `${pages}.${process.pid}`;
  const { build } = await import('vite');
  await build({
    configFile: join(source, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: draft },
  });
  await writeFile(join(draft, mark), wanted);
  await rm(pages, { recursive: true, force: true });
  await rename(draft, pages);
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  // It contains the versions of the pages' build dependencies.
  hash.update(await readFile(join(source, '../package.json')));
  for (const folder of sources) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
    for (const file of files) hash.update(file.slice(folder.length)).update(await readFile(file));
  }
  return hash.digest('hex');
}

if (import.meta.main) await buildPages();
