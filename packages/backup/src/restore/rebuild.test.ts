import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { run, tempDir } from '@skolo/base/testing';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import { newNonce } from '../history/commit-message.ts';
import { replaceHistory } from '../history/folder.ts';
import { Repository } from '../history/repository.ts';
import { directoryPlace } from '../offsite/directory.ts';
import { GitMirror } from '../offsite/git/mirror.ts';
import { objectName } from '../offsite/name.ts';
import { pack } from '../offsite/pack.ts';
import { change } from '../testing/history.ts';
import { openSource } from './open-source.ts';
import { appendMissing, openBundle, rebuildHistory, writeBundle } from './rebuild.ts';
import type { Trust } from './trust.ts';

const { signal } = new AbortController();

let dir: string;

beforeEach(async () => {
  dir = await tempDir();
});

const day = (n: number) => ({ time: `2026-11-${10 + n}T03:15:00.000Z` });

/** A history of two devices, one of which returned to its earlier content. */
async function lived(name = 'history'): Promise<Repository> {
  const repository = await Repository.open(join(dir, name), { rack: 'rack4' });
  await repository.commit(change('router', 'A\n', day(1)));
  await repository.commit(change('switch-1', 'x\n', { ...day(2), reason: 'new: port' }));
  await repository.commit(change('router', 'B\n', { ...day(3), partial: 'privilege level 7' }));
  await repository.note(
    'switch-1',
    'retired: no longer in rack.yaml',
    change('', '', day(4)).about,
  );
  await repository.commit(change('router', 'A\n', day(5)));
  return repository;
}

async function remoteOf(name: string): Promise<string> {
  const remote = join(dir, name);
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
  return remote;
}

async function contentsOf(repository: Repository, device: string): Promise<string[]> {
  const versions = await repository.versions(device);
  return (await Promise.all(versions.map((version) => repository.content(version)))).map(String);
}

describe('a history made again', () => {
  it('of an encrypted git remote has the same commits, and the copy goes on after them', async () => {
    const identity = await generateIdentity();
    const recipients = [await identityToRecipient(identity)];
    const remote = await remoteOf('remote');
    const mirror = (history: string, folder: string) =>
      new GitMirror({
        history: join(dir, history),
        folder: join(dir, folder),
        remote,
        recipients,
        rack: 'rack4',
      });
    const before = await lived();
    await mirror('history', 'outgoing').push(signal);
    const known = await before.versions('router');
    await before.close();
    // Lost: a new one begins, and is also copied.
    await rm(join(dir, 'history'), { recursive: true });
    const second = await Repository.open(join(dir, 'history'), { rack: 'rack4' });
    await second.commit(change('router', 'A\n', day(6)));
    await mirror('history', 'outgoing').push(signal);

    const source = await openSource(`file://${remote}`, { identities: [new Secret(identity)] });
    expect(await rebuildHistory(source, join(dir, 'rebuilt'), { signal })).toEqual([]);
    await source.close();
    const rebuilt = await Repository.open(join(dir, 'rebuilt'), { mayBegin: false });
    const ids = await appendMissing(second, rebuilt, 'rack4');

    expect((await rebuilt.versions('router')).slice(-3)).toEqual(known);
    expect(await rebuilt.check(signal)).toBeUndefined();
    expect([...ids.keys()]).toEqual([(await second.newest('router'))?.id]);
    await Promise.all([second.close(), rebuilt.close()]);
    await replaceHistory(join(dir, 'history'), join(dir, 'rebuilt'));
    const { stdout: copied } = await run('git', ['-C', remote, 'rev-list', '--count', 'main']);
    await mirror('history', 'outgoing').push(signal);
    const { stdout: after } = await run('git', ['-C', remote, 'rev-list', '--count', 'main']);
    // Only versions after the loss are copied again, not all.
    expect(Number(after) - Number(copied)).toBeLessThanOrEqual(2);
  });

  it('of a git remote in the clear is that history, and is pushed again', async () => {
    const remote = await remoteOf('plain');
    const before = await lived();
    const mirror = new GitMirror({
      history: join(dir, 'history'),
      folder: join(dir, 'outgoing'),
      remote,
      recipients: 'none',
    });
    await mirror.push(signal);
    const known = await before.versions('router');
    await before.close();
    await rm(join(dir, 'history'), { recursive: true });

    const source = await openSource(remote);
    await rebuildHistory(source, join(dir, 'history'), { signal });
    const rebuilt = await Repository.open(join(dir, 'history'), { mayBegin: false });

    expect(await rebuilt.versions('router')).toEqual(known);
    await rebuilt.commit(change('router', 'C\n', day(7)));
    await mirror.push(signal);
    await rebuilt.close();
  });

  it('of a folder of objects has each version in its order, and names what cannot be opened', async () => {
    const [mine, other] = [await generateIdentity(), await generateIdentity()];
    const place = directoryPlace(join(dir, 'away'));
    await mkdir(join(dir, 'away'));
    async function put(device: string, text: string, n: number, identity: string) {
      const recipients = [await identityToRecipient(identity)];
      const nonce = newNonce();
      const { file, digest } = await pack(
        { bytes: Buffer.from(text) },
        { recipients, nonce, folder: dir },
      );
      const { time } = day(n);
      const name = objectName({ device, time, digest, encrypted: true });
      await place.put(name, file, { device, time }, signal);
      return name;
    }
    await put('router', 'A\n', 1, mine);
    await put('router', 'B\n', 3, mine);
    await put('router', 'A\n', 5, mine);
    const lost = await put('switch-1', 'x\n', 2, other);
    await put('jumphost-rack4', 'tar', 2, mine);

    const source = await openSource(join(dir, 'away'), { identities: [new Secret(mine)] });
    const unreadable = await rebuildHistory(source, join(dir, 'rebuilt'), {
      rack: 'rack4',
      without: new Set(['jumphost-rack4']),
      signal,
    });

    const rebuilt = await Repository.open(join(dir, 'rebuilt'), { mayBegin: false });
    expect(await rebuilt.devices()).toEqual(['router']);
    expect(await contentsOf(rebuilt, 'router')).toEqual(['A\n', 'B\n', 'A\n']);
    expect((await rebuilt.versions('router')).map(({ time }) => time.slice(0, 10))).toEqual([
      '2026-11-15',
      '2026-11-13',
      '2026-11-11',
    ]);
    expect(unreadable).toMatchObject([{ device: 'switch-1', id: lost }]);
    await rebuilt.close();
  });

  it('of a folder contains only what the rack made, and what a person names', async () => {
    const place = directoryPlace(join(dir, 'away'));
    await mkdir(join(dir, 'away'));
    const backupKey = new Secret('of the rack');
    async function put(text: string, n: number, isOwn: boolean) {
      const { time } = day(n);
      const authenticated = isOwn ? { backupKey, device: 'router', time } : undefined;
      const options = {
        recipients: 'none',
        nonce: newNonce(),
        authenticated,
        folder: dir,
      } as const;
      const { file, digest } = await pack({ bytes: Buffer.from(text) }, options);
      const about = { device: 'router', time };
      const name = objectName({ ...about, digest, encrypted: false });
      await place.put(name, file, about, signal);
      return name;
    }
    await put('A\n', 1, true);
    const named = await put('of an earlier version\n', 2, false);
    await put('of eve\n', 3, false);
    async function rebuilt(...accepted: string[]) {
      const trust = { backupKey, accepted: new Set(accepted) };
      const source = await openSource(join(dir, 'away'), { trust });
      const unreadable = await rebuildHistory(source, join(dir, 'rebuilt'), { signal });
      const history = await Repository.open(join(dir, 'rebuilt'), { mayBegin: false });
      const contents = await contentsOf(history, 'router');
      await history.close();
      return { contents, unreadable: unreadable.map(({ why }) => why) };
    }

    const why = expect.stringContaining('is not authenticated');
    expect(await rebuilt()).toEqual({ contents: ['A\n'], unreadable: [why, why] });
    expect(await rebuilt(named)).toEqual({
      contents: ['of an earlier version\n', 'A\n'],
      unreadable: [why],
    });
  });

  it('of a git repository is not authenticated, and is used if a person names its newest commit', async () => {
    const history = await lived();
    const [newest, ...older] = (
      await Promise.all((await history.devices()).map((device) => history.versions(device)))
    )
      .flat()
      .sort((a, b) => Date.parse(b.time) - Date.parse(a.time))
      .map(({ id }) => id);
    await history.close();
    const from = join(dir, 'history');
    const backupKey = new Secret('of the rack');
    const rebuild = async (trust: Trust) =>
      await rebuildHistory(await openSource(from, { trust }), join(dir, 'rebuilt'), { signal });
    const accepting = { backupKey, accepted: new Set([newest ?? '']) };

    for (const accepted of [undefined, new Set(older)]) {
      const rejected = { code: 'unauthenticated', message: expect.stringContaining(newest ?? '') };
      await expect(rebuild({ backupKey, accepted })).rejects.toMatchObject(rejected);
    }
    expect(await rebuild(accepting)).toEqual([]);
    // A repository that was set aside is never encrypted.
    expect(await rebuild({ ...accepting, encrypts: true })).toEqual([]);
  });

  it('travels in one file, and one that is cut is rejected', async () => {
    const before = await lived();
    await before.close();
    const file = join(dir, 'all.bundle');
    await writeBundle(join(dir, 'history'), file);

    const there = await openBundle(file, join(dir, 'there'), { rack: 'rack4', signal });

    expect(await there.versions('router')).toEqual(await before.versions('router'));
    expect(await there.check(signal)).toBeUndefined();
    await there.close();
    await run('truncate', ['-s', '-20', file]);
    await expect(openBundle(file, join(dir, 'cut'), { signal })).rejects.toMatchObject({
      name: 'BackupError',
      code: 'damaged',
    });
  });
});

it('takes no version twice, and keeps what only one of two histories has', async () => {
  const previous = await lived('previous');
  const present = await Repository.open(join(dir, 'present'), { rack: 'rack4' });
  await present.commit(change('router', 'B\n', day(3)));
  await present.commit(change('router', 'D\n', { ...day(8), by: 'ann' }));
  await present.commit(change('switch-9', 'new\n', day(8)));

  const ids = await appendMissing(present, previous, 'rack4');

  expect(await contentsOf(previous, 'router')).toEqual(['D\n', 'A\n', 'B\n', 'A\n']);
  expect(await previous.newest('router')).toMatchObject({ by: 'ann', time: day(8).time });
  expect(await previous.count('switch-9')).toBe(1);
  for (const device of await present.devices()) {
    for (const { id, sha1 } of await present.versions(device)) {
      const same = (await previous.versions(device)).find((version) => version.id === ids.get(id));
      expect(same?.sha1).toBe(sha1);
    }
  }
  await Promise.all([previous.close(), present.close()]);
});

it('keeps the order of a copy that got a newer version before an older one', async () => {
  const copy = await lived('copy');
  const present = await Repository.open(join(dir, 'present'), { rack: 'rack4' });
  // Read again after the loss but not copied, because the copy had that content; the next version was copied.
  await present.commit(change('router', 'A\n', day(6)));
  await present.commit(change('router', 'only here\n', day(7)));
  await present.commit(change('router', 'C\n', day(8)));
  await copy.commit(change('router', 'C\n', day(8)));

  const ids = await appendMissing(present, copy, 'rack4');

  expect(await contentsOf(copy, 'router')).toEqual([
    'C\n',
    'only here\n',
    'C\n',
    'A\n',
    'B\n',
    'A\n',
  ]);
  expect(ids.get((await present.newest('router'))?.id ?? '')).toBe(
    (await copy.newest('router'))?.id,
  );
  await Promise.all([copy.close(), present.close()]);
});

it('is in its place after a kill between leaving and taking it', async () => {
  const before = await lived();
  const known = await before.versions('router');
  await before.close();
  await run('mv', [join(dir, 'history'), join(dir, '.history.previous')]);

  const repository = await Repository.open(join(dir, 'history'), { mayBegin: false });

  expect(await repository.versions('router')).toEqual(known);
  await repository.close();
});
