/** Generated pages: where they are, and their tables. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { z } from 'zod';

const root = new URL('../../../../', import.meta.url);

/** The file of a page, by its path in the repository. */
export function pageAt(path: string): string {
  return fileURLToPath(new URL(path, root));
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
