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

const check = (...names: string[]) =>
  runCommand(['check', 'pi-images', ...names], undefined, { XDG_CACHE_HOME: cache });

it('lists and verifies the others, and names the damaged record', async () => {
  const [listed, verified] = [await images(), await check()];

  expect(listed).toMatchObject({ exitCode: 3, err: expect.stringMatching(damage) });
  expect(listed.out).toMatch(/^IMAGE .*\ngood\.img .*\n$/);
  expect(verified).toMatchObject({ exitCode: 3, err: '' });
  expect(verified.out).toMatch(
    /^bad\.img: not checked: .*\/bad\.img\.json: the file is damaged; delete it, .*\ngood\.img: ok: intact\nimages: /,
  );
});

it('verifies another image as if nothing had happened', async () => {
  expect(await check('good.img')).toEqual({
    out: 'good.img: ok: intact\nimages: no problems, 1 ok\n',
    err: '',
    exitCode: 0,
  });
  await writeFile(join(cache, 'skolo/pi-images/good.img'), 'bad!');
  expect(await check('good.img', 'other.img')).toMatchObject({
    out: expect.stringMatching(
      /^good\.img: damaged; run .*\nother\.img: not checked: no such image; run /,
    ),
    exitCode: 3,
  });
});

it('can delete the damaged one', async () => {
  expect(await images('delete', 'bad.img')).toMatchObject({ exitCode: 0, err: '' });
  await expect(access(bad)).rejects.toThrow('ENOENT');
  expect(await images()).toMatchObject({ exitCode: 0, err: '' });
});
