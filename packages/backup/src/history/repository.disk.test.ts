import { randomBytes } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { mountSmall, run, tempDir, testSeed } from '@skolo/base/testing';
import { beforeEach, expect, it, type TestContext } from 'vitest';
import { change } from '../testing/history.ts';
import { Repository } from './repository.ts';

const kills = countRounds();

const { signal } = new AbortController();

let parent: string;
let disk: string;
let folder: string;

beforeEach(async () => {
  parent = await tempDir();
  disk = join(parent, 'disk');
  folder = join(disk, 'history');
});

async function mountDisk(context: TestContext) {
  await mkdir(disk);
  await mountSmall(context, disk, 'size=8m');
}

async function remount(how: 'ro' | 'rw') {
  await run('mount', ['-o', `remount,${how}`, disk]);
}

async function fill(share: number) {
  const { bavail, bsize } = await statfs(disk);
  const content = Buffer.alloc(Math.floor(bavail * bsize * share));
  await writeFile(join(disk, 'filling'), content).catch(() => undefined);
}

async function fsck() {
  await run('git', ['--git-dir', folder, 'fsck', '--strict', '--full', '--no-dangling']);
}

it('has what it acknowledged and nothing that it rejected while a disk fills and empties', async (context) => {
  await mountDisk(context);
  const rounds = kills * 3;
  console.log(`a history on a disk that fills and empties: ${rounds} rounds`);
  const random = seeded(testSeed());
  const expected = new Map<string, Buffer[]>();
  let rejected = 0;

  async function store(
    repository: Repository,
    device: string,
    content = randomBytes(random() < 0.3 ? random() * 400_000 : random() * 500),
  ) {
    try {
      await repository.commit(change(device, content));
    } catch (error) {
      expect(error).toMatchObject({
        name: 'BackupError',
        code: 'storage',
        message: expect.stringMatching(
          /^\S+: \S+ could not be stored: the (?:disk is full$|data was not written; )/,
        ),
      });
      rejected += 1;
      return;
    }
    expected.set(device, [content, ...(expected.get(device) ?? [])]);
  }

  async function compare(repository: Repository) {
    expect(await repository.devices()).toEqual([...expected.keys()].sort());
    for (const [device, contents] of expected) {
      const versions = await repository.versions(device);
      const found = versions.map((version) => repository.content(version));
      expect((await Promise.all(found)).map((bytes, n) => contents[n]?.equals(bytes))).toEqual(
        contents.map(() => true),
      );
    }
    expect(await repository.check(signal)).toBeUndefined();
    await fsck();
  }

  let repository = await Repository.open(folder);
  for (let round = 0; round < rounds; round += 1) {
    const choice = random();
    if (choice < 0.25) {
      await fill(0.8 + random() * 0.4);
    } else if (choice < 0.5) {
      await rm(join(disk, 'filling'), { force: true });
    } else if (choice < 0.55) {
      await repository.close();
      repository = await Repository.open(folder);
      await compare(repository);
    } else if (choice < 0.6) {
      await repository.maintain(signal).catch((error) => expect(error.code).toBe('storage'));
    } else {
      const devices = ['router', 'switch-1', 'switch-2'].slice(0, 1 + Math.floor(random() * 3));
      await Promise.all(devices.map((device) => store(repository, device)));
    }
    const stored = [...expected.values()].flat().reduce((sum, { length }) => sum + length, 0);
    // Its own versions fill the disk, so a new one is needed.
    if (stored > 4_000_000) {
      await compare(repository);
      await repository.close();
      await rm(folder, { recursive: true });
      await rm(join(disk, 'filling'), { force: true });
      expected.clear();
      repository = await Repository.open(folder);
    }
  }
  await rm(join(disk, 'filling'), { force: true });
  // Whatever was rejected before: a version larger than the disk.
  const before = rejected;
  await store(repository, 'router', randomBytes(9_000_000));
  expect(rejected).toBe(before + 1);
  await compare(repository);
  await repository.commit(change('router', 'the end'));
  expected.set('router', [Buffer.from('the end'), ...(expected.get('router') ?? [])]);
  await compare(repository);
  await repository.close();
});

it('is not begun by half on a full disk', async (context) => {
  await mountDisk(context);
  await fill(1.1);

  await expect(Repository.open(folder)).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringMatching(/the (?:disk is full|data was not written)/),
  });
  await rm(join(disk, 'filling'));

  const repository = await Repository.open(folder);
  await repository.commit(change('router', 'a'));
  await repository.close();
  await fsck();
});

it('is read from a read-only disk, and written again once it may be', async (context) => {
  await mountDisk(context);
  const before = await Repository.open(folder);
  const version = await before.commit(change('router', 'a'));
  await before.close();
  await remount('ro');

  const repository = await Repository.open(folder);

  expect(String(await repository.content(version))).toBe('a');
  expect(await repository.check(signal)).toBeUndefined();
  expect(await repository.commit(change('router', 'a'))).toEqual(version);
  await expect(repository.commit(change('router', 'b'))).rejects.toMatchObject({
    code: 'storage',
    message: `${folder}: router could not be stored: the file system is read-only`,
  });
  await expect(Repository.open(join(disk, 'other'))).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('the file system is read-only'),
  });
  await remount('rw');
  await repository.commit(change('router', 'b'));
  expect(await repository.count('router')).toBe(2);
  await repository.close();
});
