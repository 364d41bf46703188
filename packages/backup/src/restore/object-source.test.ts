import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Secret } from '@skolo/base/secrets';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { startGoogleStorage } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { directoryPlace } from '../offsite/directory.ts';
import { gcsPlace } from '../offsite/gcs/gcs.ts';
import { objectName } from '../offsite/name.ts';
import { pack } from '../offsite/pack.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import { newKeyPair, sha1Of, soon } from '../testing/offsite.ts';
import { objectSource } from './object-source.ts';
import type { Trust } from './trust.ts';

async function put(
  place: OffsitePlace,
  what: {
    device: string;
    time: string;
    content: string;
    recipients: string[] | 'none';
    backupKey?: Secret;
  },
): Promise<string> {
  const { device, time, content, recipients } = what;
  const folder = await tempDir();
  // A version has the same nonce in all its copies.
  const nonce = Buffer.from(time).toString('hex').slice(-32);
  const authenticated = what.backupKey && { ...what, backupKey: what.backupKey };
  const options = { recipients, nonce, authenticated, folder };
  const packed = await pack({ bytes: Buffer.from(content) }, options);
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

describe('a copy that the rack did not make', () => {
  const backupKey = new Secret('of the rack');
  const time = '2026-11-20T03:15:00Z';
  const facts = { device: 'router', time, content: 'hostname eve\n' };

  async function read(
    place: OffsitePlace,
    name: string,
    trust: Trust,
    identities: readonly Secret[] = [],
  ): Promise<string> {
    const source = objectSource(place, { identities, trust });
    const version = (await source.versions(facts.device)).find(({ id }) => id === name);
    if (version === undefined) throw new Error('it is not listed');
    return String(await source.content(version));
  }

  it('is only used if a person accepts it, or there is no key', async () => {
    const { identity, recipient } = await newKeyPair();
    const place = await directory();
    for (const recipients of [[recipient], 'none'] as const) {
      const name = await put(place, {
        ...facts,
        recipients: recipients === 'none' ? recipients : [...recipients],
      });
      const used: string[] = [];
      const onUnauthenticated = (what: string) => used.push(what);

      await expect(read(place, name, { backupKey }, [identity])).rejects.toMatchObject({
        code: 'unauthenticated',
        message: expect.stringContaining(`${name} is not authenticated`),
      });
      const accepted = new Set([name]);
      const accepting = { backupKey, accepted, onUnauthenticated };
      for (const trust of [accepting, { onUnauthenticated }]) {
        expect(await read(place, name, trust, [identity])).toBe(facts.content);
      }
      expect(used).toEqual(Array(2).fill(`${place.url}/${name}`));
      const other = { accepted: new Set([name.slice(0, -1)]), onUnauthenticated };
      for (const trust of [other, { ...other, backupKey }]) {
        await expect(read(place, name, trust, [identity])).rejects.toMatchObject({
          code: 'unauthenticated',
        });
      }
      await rm(join(place.url, name));
    }
  });

  it('is not used in place of an encrypted one that a person has named', async () => {
    const { recipient } = await newKeyPair();
    const place = await directory();
    const name = await put(place, { ...facts, recipients: [recipient] });
    await rename(
      join(place.url, await put(place, { ...facts, recipients: 'none', content: 'x' })),
      join(place.url, name.replace('.age', '')),
    );

    const reading = read(place, name, { backupKey, accepted: new Set([name]) });

    await expect(reading).rejects.toMatchObject({ code: 'no-key' });
  });

  it('may be a genuine one, if this computer has no key', async () => {
    const { identity, recipient } = await newKeyPair();
    const place = await directory();
    const name = await put(place, { ...facts, recipients: [recipient], backupKey });

    expect(await read(place, name, {}, [identity])).toBe(facts.content);
    const others = { backupKey: new Secret('a new one') };
    for (const [trust, code] of [
      [{ accepted: new Set([name]) }, undefined],
      [{ ...others, accepted: new Set([name]) }, 'damaged'],
      [others, 'damaged'],
    ] as const) {
      const reading = read(place, name, trust, [identity]).catch((error) => error.code);
      expect(await reading).toBe(code ?? facts.content);
    }
  });

  it.each([
    ['of an earlier release', false],
    ['without a backup key', true],
  ])(
    'is damaged if a person accepts it, and its file has another content: made %s',
    async (_what, hasNonce) => {
      const { identity, recipient } = await newKeyPair();
      for (const recipients of [[recipient], 'none'] as const) {
        const place = await directory();
        const [to] = recipients === 'none' ? [recipients] : [[...recipients]];
        const foreign = await put(place, { ...facts, recipients: to ?? 'none' });
        const suffix = recipients === 'none' ? '' : '.age';
        const other = `2026-11-20-router-${sha1Of(Buffer.from('hostname r1\n'))}.gz${suffix}`;
        const name = hasNonce
          ? await put(place, { ...facts, content: 'r1\n', recipients: to ?? 'none' })
          : other;
        await rename(join(place.url, foreign), join(place.url, name));

        const trust = { backupKey, accepted: new Set([name]), archived: 'jumphost-rack4' };
        await expect(read(place, name, trust, [identity])).rejects.toMatchObject({
          code: 'damaged',
          message: expect.stringContaining(`${name}: its content does not match its name`),
        });
      }
    },
  );

  it('is not used without a rack.yaml if other copies of its name are encrypted', async () => {
    const { identity, recipient } = await newKeyPair();
    const place = await directory();
    const jumphost = { ...facts, device: 'jumphost-rack4' };
    const archive = { ...jumphost, time: '2026-11-19T03:15:00Z', recipients: [recipient] };
    await put(place, { ...archive, backupKey });
    const plain = await put(place, { ...jumphost, recipients: 'none' });
    const source = objectSource(place, { identities: [identity] });
    const [newest, older] = await source.versions(jumphost.device);

    expect(newest?.id).toBe(plain);
    const reading = (newest && source.content(newest))?.catch(({ code }) => code);
    expect(await reading).toBe('unauthenticated');
    expect(older && String(await source.content(older))).toBe(facts.content);
    const trust = { archived: jumphost.device };
    const known = objectSource(place, { identities: [identity], trust });
    expect(older && String(await known.content(older))).toBe(facts.content);
  });

  it('is not used in place of an encrypted one of the same name, if that can be decrypted', async () => {
    const { identity, recipient } = await newKeyPair();
    const place = await directory();
    const name = await put(place, {
      ...facts,
      content: 'r1\n',
      recipients: [recipient],
      backupKey,
    });
    await rename(
      join(place.url, await put(place, { ...facts, recipients: 'none', backupKey })),
      join(place.url, name.replace('.age', '')),
    );

    expect(await read(place, name, {}, [identity])).toBe('r1\n');
  });

  it('is rejected by its name alone, if it is a plain one that cannot be authenticated', async () => {
    const place = await directory();
    const name = `2026-11-20-router-${'a'.repeat(40)}.gz`;
    await writeFile(join(place.url, name), 'damaged');

    for (const trust of [{ encrypts: true }, { backupKey, archived: 'router' }]) {
      await expect(read(place, name, trust)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('is never used unencrypted if rack.yaml encrypts copies, unless it is authenticated', async () => {
    const place = await directory();
    const foreign = await put(place, { ...facts, recipients: 'none' });
    const trust = { accepted: new Set([foreign]), encrypts: true };
    await expect(read(place, foreign, trust)).rejects.toMatchObject({ code: 'unauthenticated' });
    await rm(join(place.url, foreign));

    const own = await put(place, { ...facts, recipients: 'none', backupKey });

    expect(await read(place, own, { ...trust, backupKey })).toBe(facts.content);
    const archived = { ...trust, backupKey, archived: facts.device };
    await expect(read(place, own, archived)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('fills neither the disk nor leaves a part of it there', async () => {
    const place = await directory();
    const folder = await tempDir();
    const bytes = Buffer.alloc(65 << 20);
    bytes.write('ustar', 257);
    const name = `2026-11-20-router-${sha1Of(bytes)}.gz`;
    await writeFile(join(place.url, name), gzipSync(bytes));
    const source = objectSource(place);
    const [version] = await source.versions('router');

    const writing = version && source.contentToFile?.(version, join(folder, 'tar'));

    await expect(writing).rejects.toMatchObject({ code: 'damaged' });
    expect(await readdir(folder)).toEqual([]);
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
