import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isLong } from '@skolo/base/durable/fault-injection';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { startGoogleStorage } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { directoryPlace } from '../offsite/directory.ts';
import { gcsPlace } from '../offsite/gcs/gcs.ts';
import { GitMirror } from '../offsite/git/mirror.ts';
import { objectName } from '../offsite/name.ts';
import { pack } from '../offsite/pack.ts';
import type { OffsitePlace } from '../offsite/place.ts';
import { about, bareRemote, startHistory } from '../testing/git-remote.ts';
import { filledBy } from '../testing/history.ts';
import { type KeyPair, newKeyPair, run, sha1Of, soon } from '../testing/offsite.ts';
import { resolveVersion } from '../versions.ts';
import { openSource } from './open-source.ts';

/** Not text, and not only ASCII. */
const first = Buffer.from([0, 255, 10, 13, 128, ...Buffer.from('hostname r1\n')]);
const second = Buffer.from('hostname r2\n');

/** A history with two versions of the router and one of a switch. */
const rack = filledBy(async (repository) => {
  const commit = (device: string, bytes: Buffer, time: string) =>
    repository.commit({ device, content: { bytes }, about: { ...about, time } });
  await commit('router', first, '2026-11-18T08:15:00.000Z');
  await commit('router', second, '2026-11-20T08:15:00.000Z');
  await commit('switch-1', Buffer.alloc(0), '2026-11-19T08:15:00.000Z');
});

async function startRack() {
  return { ...(await startHistory(rack)), keys: await newKeyPair() };
}

async function putAll(
  { repository }: Awaited<ReturnType<typeof startRack>>,
  place: OffsitePlace,
  recipients: string[] | 'none',
) {
  for (const device of await repository.devices()) {
    for (const version of await repository.versions(device)) {
      const bytes = await repository.content(version);
      const { nonce = '' } = version;
      const packed = await pack({ bytes }, { recipients, nonce, folder: await tempDir() });
      const { file, digest } = packed;
      const name = objectName({ ...version, digest, encrypted: recipients !== 'none' });
      await place.put(name, file, version, soon());
    }
  }
}

type Kind = 'a bucket' | 'a directory' | 'a remote' | 'a file:// remote' | 'a folder with .git';

/** Stores all versions, and returns where. */
async function store(kind: Kind, recipients: (keys: KeyPair) => string[] | 'none') {
  const rack = await startRack();
  const of = recipients(rack.keys);
  if (kind === 'a bucket') {
    const google = untilTestEnds(await startGoogleStorage({ buckets: ['backups'] }));
    const signIn = { apiEndpoint: google.url, token: async () => 'any' };
    await putAll(rack, gcsPlace('gs://backups/rack4', signIn), of);
    return { ...rack, from: 'gs://backups/rack4', options: signIn };
  }
  if (kind === 'a directory') {
    const folder = await tempDir();
    await putAll(rack, directoryPlace(folder), of);
    return { ...rack, from: folder, options: {} };
  }
  const remote = await bareRemote();
  const { history, folder } = rack;
  await new GitMirror({ history, folder, remote, recipients: of }).push(soon());
  if (kind === 'a remote') return { ...rack, from: remote, options: {} };
  if (kind === 'a file:// remote') {
    return { ...rack, from: pathToFileURL(remote).href, options: {} };
  }
  const work = join(await tempDir(), 'work');
  await run('git', ['clone', '--quiet', remote, work]);
  return { ...rack, from: work, options: {} };
}

const kinds: Kind[] = [
  'a bucket',
  'a directory',
  'a remote',
  'a file:// remote',
  'a folder with .git',
];

/** Sources for which the same is done with unencrypted content. */
const inTheClear = kinds.filter((kind) => isLong || ['a directory', 'a remote'].includes(kind));

it.each([
  ...kinds.map((kind) => [kind, 'encrypted'] as const),
  ...inTheClear.map((kind) => [kind, 'in the clear'] as const),
])('versions from %s are all there, byte for byte: %s', async (kind, how) => {
  const isEncrypted = how === 'encrypted';
  const { from, options, keys } = await store(kind, ({ recipient }) =>
    isEncrypted ? [recipient] : 'none',
  );

  const source = await openSource(from, { ...options, identities: [keys.identity] });

  expect(await source.devices()).toEqual(['router', 'switch-1']);
  const versions = await source.versions('router');
  expect(versions).toMatchObject([
    { device: 'router', time: '2026-11-20T08:15:00.000Z' },
    { device: 'router', time: '2026-11-18T08:15:00.000Z' },
  ]);
  const contents = [];
  for (const version of versions) contents.push(await source.content(version));
  expect(contents).toEqual([second, first]);
  const [empty] = await source.versions('switch-1');
  expect(empty && (await source.content(empty))).toHaveLength(0);
  expect(await source.versions('router', { limit: 1 })).toEqual(versions.slice(0, 1));
  expect(await source.versions('nobody')).toEqual([]);
  const old = resolveVersion(versions, '2026-11-19');
  expect(await source.content(old)).toEqual(first);
  await source.close();
  const blind = await openSource(from, options);
  const [newest] = await blind.versions('router');
  if (!newest) throw new Error('it is not listed');
  if (isEncrypted) expect(JSON.stringify(newest)).not.toContain(sha1Of(second));
  const content = blind.content(newest);
  if (isEncrypted) await expect(content).rejects.toMatchObject({ code: 'no-key' });
  else expect(await content).toEqual(second);
  await blind.close();
});

describe('openSource', () => {
  it('says what is not there', async () => {
    const dir = await tempDir();
    await writeFile(join(dir, 'a.gz'), '');
    await mkdir(join(dir, 'empty'));

    await expect(openSource(join(dir, 'nowhere'))).rejects.toMatchObject({
      code: 'not-found',
      message: `${join(dir, 'nowhere')}: the directory does not exist`,
    });
    await expect(openSource(join(dir, 'a.gz'))).rejects.toThrow(
      'this is a file; specify its directory',
    );
    expect(await (await openSource(join(dir, 'empty'))).devices()).toEqual([]);
  });

  it.each(['.skolo-backups', `2026-11-20-router-${'a'.repeat(40)}.gz.age`])(
    'takes a directory with %s for one with objects, even if somebody has added a repository',
    async (name) => {
      const dir = await tempDir();
      await mkdir(join(dir, 'objects'));
      await writeFile(join(dir, 'HEAD'), 'ref: refs/heads/main\n');
      await writeFile(join(dir, name), '');

      const source = await openSource(dir);

      expect(source.repository).toBeUndefined();
      expect(await source.devices()).toEqual(name.startsWith('.') ? [] : ['router']);
    },
  );

  it('does not take any address', async () => {
    await expect(openSource('s3://ann:canary@backups')).rejects.toMatchObject({
      code: 'rejected',
      message: 's3://backups: specify gs://BUCKET/FOLDER, a git remote or a directory',
    });
  });
});
