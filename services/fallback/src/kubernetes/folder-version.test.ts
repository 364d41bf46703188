import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lacks } from '@skolo/simulators/peer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Files, writeFolder } from './folder-version.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-folder-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const files = (content: Record<string, string>): Files =>
  new Map(Object.entries(content).map(([path, text]) => [path, Buffer.from(text)]));

// It gives files to root.
describe.skipIf(lacks('root'))('writeFolder', () => {
  it('has all files at once: one rename changes them', async () => {
    await writeFolder(folder, files({ 'rack.yaml': 'rack: a', 'secrets/key': '1' }), 0);
    const before = await readlink(join(folder, '..data'));

    expect(
      await writeFolder(folder, files({ 'rack.yaml': 'rack: b', 'secrets/key': '2' }), 0),
    ).toBe(true);

    expect(await readlink(join(folder, '..data'))).not.toBe(before);
    expect(await readlink(join(folder, 'rack.yaml'))).toBe('..data/rack.yaml');
    expect(await readFile(join(folder, 'rack.yaml'), 'utf8')).toBe('rack: b');
    expect(await readFile(join(folder, 'secrets/key'), 'utf8')).toBe('2');
    // The version before is gone.
    expect(await readdir(folder)).toHaveLength(4);
  });

  it('writes nothing where nothing has changed', async () => {
    const content = { 'rack.yaml': 'rack: a', 'secrets/key': '1' };
    await writeFolder(folder, files(content), 0);
    const before = await readdir(folder);

    expect(await writeFolder(folder, files(content), 0)).toBe(false);
    expect(await readdir(folder)).toEqual(before);
  });

  it('takes away what is no longer there', async () => {
    await writeFolder(
      folder,
      files({ 'rack.yaml': 'rack: a', environment: 'A="1"', 'secrets/key': '1' }),
      0,
    );

    await writeFolder(folder, files({ 'rack.yaml': 'rack: a' }), 0);

    expect((await readdir(folder)).filter((name) => !name.startsWith('..'))).toEqual(['rack.yaml']);
  });

  it('goes on where it was interrupted', async () => {
    await writeFolder(folder, files({ 'rack.yaml': 'rack: a' }), 0);
    await rm(join(folder, 'rack.yaml'));
    await writeFile(join(folder, '..data_next'), '');

    expect(await writeFolder(folder, files({ 'rack.yaml': 'rack: a' }), 0)).toBe(true);
    expect(await readFile(join(folder, 'rack.yaml'), 'utf8')).toBe('rack: a');
  });

  it('leaves alone what somebody has put there by hand', async () => {
    await writeFile(join(folder, 'rack.yaml'), 'rack: mine');

    await expect(writeFolder(folder, files({ 'rack.yaml': 'rack: a' }), 0)).rejects.toThrow(
      'was created manually and is left unchanged',
    );
    expect(await readFile(join(folder, 'rack.yaml'), 'utf8')).toBe('rack: mine');
  });
});
