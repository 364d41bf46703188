import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ifThere } from './if-there.ts';

it('is undefined only for a file that does not exist', async () => {
  const beside = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');

  await expect(ifThere(beside('if-there.ts'))).resolves.toContain('ifThere');
  await expect(ifThere(beside('nothing'))).resolves.toBeUndefined();
  await expect(ifThere(beside('.'))).rejects.toMatchObject({ code: 'EISDIR' });
});
