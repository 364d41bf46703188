import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { copyOverlay } from './copy-overlay.ts';

const kustomization = `images:
  - name: skolo/metadata-server
    newName: old.example.com/skolo/metadata-server
    newTag: 2026-11-20-ann
    digest: sha256:${'0'.repeat(64)}
`;

async function racks(): Promise<string> {
  const folder = await tempDir();
  await mkdir(join(folder, 'rack4/derived'), { recursive: true });
  await writeFile(join(folder, 'rack4/kustomization.yaml'), kustomization);
  await writeFile(join(folder, 'rack4/rack.yaml'), 'rack: rack4\nnewTag: of a person\n');
  await writeFile(join(folder, 'rack4/derived/README.md'), 'of rack4');
  await mkdir(join(folder, 'rack4/secrets'));
  await writeFile(join(folder, 'rack4/secrets/router-password'), 'of rack4');
  return folder;
}

const names = { from: 'rack4', to: 'rack5' };

it('has the name and the images of the new rack, but no digest of the previous tag and no secrets', async () => {
  const folder = await racks();

  await copyOverlay(folder, names, { prefix: 'new.example.com/', tag: '2026-11-24-bob' });

  expect((await readdir(join(folder, 'rack5'))).sort()).toEqual([
    'kustomization.yaml',
    'rack.yaml',
  ]);
  expect(await readFile(join(folder, 'rack5/rack.yaml'), 'utf8')).toBe(
    'rack: rack5\nnewTag: of a person\n',
  );
  expect(await readFile(join(folder, 'rack5/kustomization.yaml'), 'utf8')).toBe(`images:
  - name: skolo/metadata-server
    newName: new.example.com/metadata-server
    newTag: 2026-11-24-bob
`);
});

it('keeps the digest with its tag', async () => {
  const folder = await racks();

  await copyOverlay(folder, names, {});

  expect(await readFile(join(folder, 'rack5/kustomization.yaml'), 'utf8')).toBe(kustomization);
});

it('writes over nothing', async () => {
  const folder = await racks();
  await mkdir(join(folder, 'rack5'));

  await expect(copyOverlay(folder, names, {})).rejects.toThrow('rack5 already exists');
  await expect(copyOverlay(folder, { from: 'rack9', to: 'rack6' }, {})).rejects.toThrow(
    'rack9: no such overlay; run this command in a clone',
  );
  expect(await readdir(folder)).toEqual(['rack4', 'rack5']);
});
