import { link, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from './json-file.ts';

/** What a pod may put in place of a file of its own, which root reads while the jumphost boots. */
it.each<[string, (file: string, secret: string) => Promise<unknown>]>([
  ['a link', (file, secret) => symlink(secret, file)],
  ['a pipe', (file) => run('mkfifo', [file])],
  ['a directory', (file) => mkdir(file)],
  ['a terabyte', async (file) => [await writeFile(file, ''), await truncate(file, 2 ** 40)]],
])('%s counts as a broken file', async (_, put) => {
  const dir = await tempDir();
  const [file, secret] = [join(dir, 'jumphost.json'), join(dir, 'secret')];
  await writeFile(secret, '["of root"]');
  await put(file, secret);

  expect(await readJson(file, z.unknown().optional())).toBeUndefined();
  await link(secret, join(dir, 'plain.json'));
  expect(await readJson(join(dir, 'plain.json'), z.array(z.string()))).toEqual(['of root']);
});
