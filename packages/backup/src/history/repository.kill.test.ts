import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  countRounds,
  killAfter,
  seeded,
  startWriter,
  timeUntil,
} from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { beforeEach, expect, it } from 'vitest';
import type { Version } from '../source.ts';
import { change, TestHistory } from '../testing/history.ts';
import { devices, versionText } from '../testing/repository-writer.ts';
import type { Repository } from './repository.ts';

const kills = countRounds();
const program = join(import.meta.dirname, '../testing/repository-writer.ts');

let history: TestHistory;

beforeEach(async () => {
  history = await TestHistory.make();
});

it(`is sound after ${kills} kill -9, has what it acknowledged, and nothing twice`, async () => {
  console.log(`a writer of a history: ${kills} kills`);
  const random = seeded(testSeed());
  const acknowledged = new Map<string, { number: number; id: string }[]>();
  const start = (first: number, folder = history.folder) =>
    startWriter(program, folder, `${first}`);
  const usualMs = await timeUntil(start(0, join(history.parent, 'another')), 'router 3');

  for (let kill = 0; kill < kills; kill += 1) {
    const counts = devices.map((device) => acknowledged.get(device)?.length ?? 0);
    // Like the service: versions that were not acknowledged are read and stored again.
    const writer = start(Math.min(...counts));
    const lines = await killAfter(writer, random() * usualMs, {
      all: kill % 2 === 0,
      // Some live until they have stored something, so that the history grows.
      report: kill % 4 < 2 ? `router ${counts[0]}` : 'open',
    });
    for (const line of lines) {
      const [device = '', number = '', id = ''] = line.split(' ');
      if (device === 'open') continue;
      const known = acknowledged.get(device) ?? [];
      if (Number(number) === known.length) known.push({ number: known.length, id });
      acknowledged.set(device, known);
    }

    let repository = await history.open();
    // Only now, because this waits for a git that outlived its process.
    await history.git('fsck', '--strict', '--full', '--no-dangling');
    // If the writer is killed between fork and exec, its git starts late, gets no input, and removes its empty pack itself. On a busy
    // computer, a git may write for longer than the wait; leftovers are then removed when the history is next opened.
    async function leftoversNow() {
      const found = await leftovers();
      if (found.length === 0) return found;
      await repository.close();
      repository = await history.open();
      return found;
    }
    await expect.poll(leftoversNow).toEqual([]);
    for (const device of devices) {
      const versions = await compare(repository, device, acknowledged.get(device) ?? []);
      // fsck has hashed all of them.
      await compareContents(repository, versions, kill === kills - 1 ? 4 : 1);
    }
    await repository.close();
  }
  expect(acknowledged.get('router')?.length).toBeGreaterThanOrEqual(kills / 2);
});

it(`begins whole or not at all, ${kills} times killed at its birth`, async () => {
  const random = seeded(testSeed());
  const start = performance.now();
  await killAfter(startWriter(program, history.folder, '0'), 0, { all: true });
  const lasts = performance.now() - start;
  for (let kill = 0; kill < kills; kill += 1) {
    await rm(history.folder, { recursive: true, force: true });
    const writer = startWriter(program, history.folder, '0');

    await killAfter(writer, lasts * (0.3 + random()), { all: kill % 2 === 0, atOnce: true });

    const repository = await history.open();
    expect(await repository.check(new AbortController().signal)).toBeUndefined();
    await repository.commit(change('router', `after kill ${kill}`));
    await repository.close();
  }
});

/**
 * All acknowledged versions exist by id, each number once and in order, and at most one more.
 *
 * @returns the existing ones, oldest first
 */
async function compare(
  repository: Repository,
  device: string,
  acknowledged: { number: number; id: string }[],
) {
  const versions = (await repository.versions(device)).reverse();
  expect(versions.map(({ run }) => run)).toEqual(versions.map((_, number) => `run-${number}`));
  expect(versions.length - acknowledged.length).toBeOneOf([0, 1]);
  expect(versions.map(({ id }) => id)).toEqual(
    expect.arrayContaining(acknowledged.map(({ id }) => id)),
  );
  expect(await repository.count(device)).toBe(versions.length);
  return versions;
}

/** The newest one, or up to four of the newest. */
async function compareContents(repository: Repository, versions: readonly Version[], most: 1 | 4) {
  const last = versions.length - 1;
  const some = most === 1 ? [last] : [0, Math.floor(last / 2), last - 1, last];
  for (const number of new Set(some)) {
    const version = versions[number];
    if (!version) continue;
    expect((await repository.content(version)).equals(versionText(version.device, number))).toBe(
      true,
    );
  }
}

/** Of git. Those of an atomic file, which its next write removes, may belong to another process that is writing it. */
async function leftovers() {
  const files = await readdir(history.folder, { recursive: true });
  return files.filter((file) => /\.lock$|tmp_|\.tmp-|crash|\.keep$/.test(join('/', file)));
}
