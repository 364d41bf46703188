/**
 * Writes the names of this version's models, including previous ones, for a test of later versions.
 * A step of a release (docs/reference/release.md) runs it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { models } from '../src/models/index.ts';

const root = join(import.meta.dirname, '../../..');
const file = join(import.meta.dirname, '../testdata/released-models.txt');

/** Returns the version of the newest release, and the names of its models. */
export function readReleasedModels(): { version: string; names: string[] } {
  const [version = '', ...names] = readFileSync(file, 'utf8').trim().split('\n');
  return { version, names };
}

if (import.meta.main) {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { version } = z.object({ version: z.string() }).parse(manifest);
  const names = [...models.values()].flatMap(({ name, was = [] }) => [name, ...was]);
  writeFileSync(file, `${[version, ...names].join('\n')}\n`);
}
