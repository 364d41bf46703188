/** `npm run build -w packages/console`: builds the pages, if they are not those of the sources. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const source = import.meta.dirname;
/** Their routes are in the pages. To compare them, Node would have to load all of it. */
const apis = join(source, '../../api/src');
const pages = join(source, '../dist');
const mark = '.built-from';

export async function buildPages(): Promise<void> {
  const wanted = await digestOfSources();
  const found = await readFile(join(pages, mark), 'utf8').catch(() => '');
  if (found === wanted) return;
  // There as a whole, or not yet.
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
  // It names the versions of what the pages are made with.
  hash.update(await readFile(join(source, '../package.json')));
  for (const folder of [source, apis]) {
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
