import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultTokenFolder } from '@skolo/rack/light';
import { describe, expect, it } from 'vitest';
import { newFolder } from '../testing/run-demo.ts';
import { DemoCopy, NotOurFolder } from './demo-copy.ts';

const change = {
  adapt: (text: string) => `${text}adapted\n`,
  place: (text: string) => text.replace(/port \d+/, 'port 2'),
};

async function newCopy() {
  const dir = await newFolder();
  const original = join(dir, 'original.yaml');
  await writeFile(original, 'port 1\n');
  return { original, copy: new DemoCopy(join(dir, 'demo'), original) };
}

describe('DemoCopy', () => {
  it('copies, adapts and places', async () => {
    const { copy } = await newCopy();

    expect(await copy.prepare(change)).toBe('new');

    expect(await readFile(copy.rackFile, 'utf8')).toBe('port 2\nadapted\n');
  });

  it('follows the original while the copy is not edited', async () => {
    const { copy, original } = await newCopy();
    await copy.prepare(change);
    await writeFile(original, 'port 1, and more\n');

    expect(await copy.prepare(change)).toBe('untouched');

    expect(await readFile(copy.rackFile, 'utf8')).toBe('port 2, and more\nadapted\n');
  });

  it('keeps edits of the copy, but for the places', async () => {
    const { copy, original } = await newCopy();
    await copy.prepare(change);
    await writeFile(original, 'port 1, and more\n');
    await writeFile(copy.rackFile, 'port 7, mine\n');

    for (const _ of ['once', 'and again']) expect(await copy.prepare(change)).toBe('kept');

    expect(await readFile(copy.rackFile, 'utf8')).toBe('port 2, mine\n');
  });

  it('clears what belongs to the demo, and nothing else', async () => {
    const { copy } = await newCopy();
    await copy.prepare(change);
    const inMemory = defaultTokenFolder(copy.stateDir('metadata-server'));
    for (const folder of [copy.stateDir('metadata-server'), inMemory])
      await mkdir(folder, { recursive: true });
    await writeFile(join(inMemory, 'tokens.json'), '{}');
    await writeFile(join(copy.dir, 'notes'), 'mine');

    await copy.clear();

    expect(await readdir(copy.dir)).toEqual(['notes']);
    await expect(readdir(inMemory)).rejects.toThrow('ENOENT');
  });

  it('rejects the folder of another rack', async () => {
    const { copy } = await newCopy();
    await mkdir(copy.dir);
    await writeFile(copy.rackFile, 'rack: mine\n');
    await mkdir(join(copy.dir, 'secrets'));

    await expect(copy.checkFolder()).rejects.toThrow(NotOurFolder);
    await copy.clear();

    expect(await readdir(copy.dir)).toEqual(['rack.yaml', 'secrets']);
  });
});
