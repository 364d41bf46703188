/** `skolo pi images`, where the record of one image is damaged. */
import { createHash } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { beforeEach, expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const damage = /^skolo: .*\/bad\.img\.json: the file is damaged; delete it, .*\n$/;
let cache: string;
let bad: string;
const images = (...args: string[]) =>
  runCommand(['pi', 'images', ...args], undefined, { XDG_CACHE_HOME: cache });

beforeEach(async () => {
  cache = await tempDir();
  const folder = join(cache, 'skolo/pi-images');
  await mkdir(folder, { recursive: true });
  bad = join(folder, 'bad.img');
  await writeFile(bad, 'bad');
  await writeFile(`${bad}.json`, '{');
  const sha256 = createHash('sha256').update('good').digest('hex');
  const record = { from: 'good.img', publishedSha256: sha256, sha256, size: 4, fetched: '2026' };
  await writeFile(join(folder, 'good.img'), 'good');
  await writeFile(join(folder, 'good.img.json'), JSON.stringify(record));
});

it('lists and verifies the others, and names the damaged record', async () => {
  const [listed, verified] = [await images(), await images('verify')];

  expect(listed).toMatchObject({ exitCode: 3, err: expect.stringMatching(damage) });
  expect(listed.out).toMatch(/^IMAGE .*\ngood\.img .*\n$/);
  expect(verified).toMatchObject({ exitCode: 3, err: expect.stringMatching(damage) });
  expect(verified.out).toBe('good.img: intact\n');
});

it('verifies another image as if nothing had happened', async () => {
  expect(await images('verify', 'good.img')).toEqual({
    out: 'good.img: intact\n',
    err: '',
    exitCode: 0,
  });
});

it('fails for the damaged one, which can be deleted', async () => {
  expect(await images('verify', 'bad.img')).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(damage),
  });
  expect(await images('delete', 'bad.img')).toMatchObject({ exitCode: 0, err: '' });
  await expect(access(bad)).rejects.toThrow('ENOENT');
  expect(await images()).toMatchObject({ exitCode: 0, err: '' });
});
