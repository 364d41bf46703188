/** Generated pages: where they are, and their tables. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { z } from 'zod';

const root = new URL('../../../../', import.meta.url);

/** The file of a page, by its path in the repository. */
export function pageAt(path: string): string {
  return fileURLToPath(new URL(path, root));
}

/** All files of the repository: those that git knows, and new ones. git lists these first, so adding one to git would move it. */
export function filesOf(): string[] {
  const list = ['ls-files', '-co', '--exclude-standard'];
  const files = execFileSync('git', list, { cwd: pageAt(''), encoding: 'utf8' });
  return files
    .trim()
    .split('\n')
    .filter((file) => existsSync(pageAt(file)))
    .sort();
}

/** The data of a page. */
export function dataAt<T>(path: string, schema: z.ZodType<T>): T {
  return schema.parse(parse(readFileSync(pageAt(path), 'utf8')));
}

/** A table in Markdown, with its last line end. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
