import { readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { openMaskKey } from './mask-key.ts';

it('is another one, but not replaced, while its file cannot be read', async () => {
  const dir = await tempDir();
  const file = join(dir, 'mask-key');
  const warnings: string[] = [];
  const maskOf = async () => {
    const log = { warn: (_: unknown, text?: string) => void warnings.push(text ?? '') };
    return Buffer.from((await openMaskKey(dir, log))('router')).toString('hex');
  };
  const mask = await maskOf();
  await rename(file, `${file}.kept`);
  await symlink(file, file);
  expect(await maskOf()).not.toBe(mask);
  await rename(`${file}.kept`, file);

  expect(await maskOf()).toBe(mask);
  expect(warnings).toEqual(['mask key could not be read or stored']);
  await writeFile(file, 'too short');
  expect(await maskOf()).not.toBe(mask);
  expect(await readFile(file)).toHaveLength(32);
});
