import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { startGoogleStorage } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { directoryPlace } from '../offsite/directory.ts';
import { gcsPlace } from '../offsite/gcs/gcs.ts';
import { objectName } from '../offsite/name.ts';
import { pack } from '../offsite/pack.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import { newKeyPair, soon } from '../testing/offsite.ts';
import { objectSource } from './object-source.ts';

async function put(
  place: OffsitePlace,
  what: { device: string; time: string; content: string; recipients: string[] | 'none' },
): Promise<string> {
  const { device, time, content, recipients } = what;
  const folder = await tempDir();
  // A version has the same nonce in all its copies.
  const nonce = Buffer.from(time).toString('hex').slice(-32);
  const packed = await pack({ bytes: Buffer.from(content) }, { recipients, nonce, folder });
  const { file, digest } = packed;
  const name = objectName({ device, time, digest, encrypted: recipients !== 'none' });
  await place.put(name, file, { device, time }, soon());
  return name;
}

async function directory(): Promise<OffsitePlace> {
  return directoryPlace(await tempDir());
}

async function bucket(): Promise<OffsitePlace> {
  const google = untilTestEnds(await startGoogleStorage({ buckets: ['backups'] }));
  return gcsPlace('gs://backups/rack4', { apiEndpoint: google.url, token: async () => 'any' });
}

describe.each([
  ['a directory', directory],
  ['a bucket', bucket],
])('versions out of %s', (_what, start) => {
  it('are all of them where a content came back on the same day', async () => {
    const place = await start();
    for (const [hour, content] of ['A', 'B', 'A'].entries()) {
      const time = `2026-11-20T0${hour}:00:00.000Z`;
      await put(place, { device: 'router', time, content, recipients: 'none' });
    }
    const source = objectSource(place);

    const contents = [];
    for (const each of await source.versions('router')) contents.push(await source.content(each));

    expect(contents.map(String)).toEqual(['A', 'B', 'A']);
  });
});

describe('versions out of a place', () => {
  const router = { device: 'router', time: '2026-11-20T03:15:00Z', content: 'hostname r1\n' };

  it('need the identity, and say so', async () => {
    const { recipient } = await newKeyPair();
    const eve = await newKeyPair();
    const place = await directory();
    const name = await put(place, { ...router, recipients: [recipient] });
    const [version] = await objectSource(place).versions('router');
    if (!version) throw new Error('it is not listed');

    await expect(objectSource(place).content(version)).rejects.toMatchObject({
      code: 'no-key',
      message: expect.stringContaining(
        `${place.url}/${name} is encrypted; specify the identity file`,
      ),
    });
    const other = objectSource(place, { identities: [eve.identity] });
    await expect(other.content(version)).rejects.toMatchObject({ code: 'no-key' });
  });

  it('may be there twice: what can be opened is enough', async () => {
    const { identity, recipient } = await newKeyPair();
    const place = await directory();
    const clear = await put(place, { ...router, recipients: 'none' });
    await put(place, { ...router, recipients: [recipient] });
    const [version, ...others] = await objectSource(place).versions('router');
    if (!version) throw new Error('it is not listed');

    expect(others).toEqual([]);
    expect(String(await objectSource(place).content(version))).toBe(router.content);
    await writeFile(join(place.url, clear), 'damaged');
    const source = objectSource(place, { identities: [identity] });
    expect(String(await source.content(version))).toBe(router.content);
  });

  it('are never given damaged', async () => {
    const place = await directory();
    const name = await put(place, { ...router, recipients: 'none' });
    const source = objectSource(place);
    const [version] = await source.versions('router');
    if (!version) throw new Error('it is not listed');
    const whole = await readFile(join(place.url, name));

    await writeFile(join(place.url, name), whole.subarray(0, -4));
    await expect(source.content(version)).rejects.toMatchObject({ code: 'damaged' });
    await rm(join(place.url, name));
    await expect(source.content(version)).rejects.toMatchObject({ code: 'not-found' });
    await expect(source.content({ ...version, id: 'nonsense' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('have the day of their name where the file was only copied here', async () => {
    const place = await directory();
    const sha1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
    await writeFile(join(place.url, `2020-02-29-router-${sha1}.gz`), '');
    await writeFile(join(place.url, 'README'), '');

    const source = objectSource(place);

    expect(await source.devices()).toEqual(['router']);
    expect(await source.versions('router')).toEqual([
      {
        id: `2020-02-29-router-${sha1}.gz`,
        device: 'router',
        time: '2020-02-29T00:00:00.000Z',
      },
    ]);
  });

  it('are asked for again where the place did not respond', async () => {
    const place = await directory();
    await put(place, { ...router, recipients: 'none' });
    const hidden = directoryPlace(`${place.url}/nowhere`);
    let isUp = false;
    const source = objectSource({ ...place, list: (s) => (isUp ? place : hidden).list(s) });

    await expect(source.devices()).rejects.toMatchObject({ code: 'unreachable' });
    isUp = true;

    expect(await source.devices()).toEqual(['router']);
  });
});
