import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { exampleRack, smallRack } from '../testing/example.ts';
import { compareDerived, writeDerived } from './derived-folder.ts';
import { renderDerived } from './render.ts';

const { files } = renderDerived(smallRack());
const names = [...files.keys()];

let root: string;
let folder: string;
beforeEach(async () => {
  root = await tempDir();
  folder = join(root, 'derived');
});

async function write(wanted: ReadonlyMap<string, string>): Promise<void> {
  await writeDerived(folder, wanted, await compareDerived(folder, wanted));
}

describe('compareDerived', () => {
  it('misses all in a folder that is not there', async () => {
    const found = await compareDerived(folder, files);

    expect(found).toEqual({ missing: names, stale: [], leftOver: [], foreign: [] });
  });

  it('says what is missing, stale, too much and of somebody else', async () => {
    await write(renderDerived(exampleRack()).files);
    await rm(join(folder, 'README.md'));
    await writeFile(join(folder, 'network-policies.yaml'), 'kind: NetworkPolicy\n');
    await writeFile(join(folder, 'notes.txt'), 'by hand\n');

    const found = await compareDerived(folder, files);

    expect(found).toMatchObject({
      missing: ['README.md'],
      leftOver: expect.arrayContaining(['ports-power-cycle-daemon.yaml']),
      foreign: ['network-policies.yaml'],
    });
    expect(found.stale).toContain('kustomization.yaml');
    expect(JSON.stringify(found)).not.toContain('notes.txt');
  });

  it('has a folder of the name for somebody else', async () => {
    await write(files);
    await rm(join(folder, 'README.md'));
    await mkdir(join(folder, 'README.md'));

    expect(await compareDerived(folder, files)).toMatchObject({ foreign: ['README.md'] });
  });
});

describe('writeDerived', () => {
  it('makes the folder as it should be, readable to all', async () => {
    await write(files);

    expect((await readdir(folder)).sort()).toEqual([...names].sort());
    for (const [name, text] of files) {
      expect(await readFile(join(folder, name), 'utf8')).toBe(text);
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o644);
    }
  });

  it('removes what it once wrote, and touches nothing else', async () => {
    await write(renderDerived(exampleRack()).files);
    await mkdir(join(folder, 'more'));
    await writeFile(join(folder, 'by-hand.yaml'), 'kind: Secret\n');

    await write(files);

    expect((await readdir(folder)).sort()).toEqual([...names, 'by-hand.yaml', 'more'].sort());
  });

  it('leaves alone what is as it should be', async () => {
    await write(files);
    const before = await stat(join(folder, 'kustomization.yaml'), { bigint: true });

    await write(files);

    const after = await stat(join(folder, 'kustomization.yaml'), { bigint: true });
    expect(after.ino).toBe(before.ino);
    expect(after.mtimeNs).toBe(before.mtimeNs);
  });
});
