import {
  cp,
  type FileHandle,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall, tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { Spool } from '../spool/spool.ts';
import { countRounds, killAfter, seeded, startWriter } from '../testing/fault-injection.ts';
import { changeOf, keptVersions, workers } from '../testing/journal-writer.ts';
import { Journal } from './journal.ts';

const kills = countRounds();

let parent: string;
let folder: string;
const opened: Journal[] = [];
beforeEach(async () => {
  parent = await tempDir();
  folder = join(parent, 'journal');
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const journal of opened.splice(0)) await journal.close();
});

async function openJournal(): Promise<Journal> {
  const journal = await Journal.open(folder);
  opened.push(journal);
  return journal;
}

function contentOf(journal: Journal, prefix = ''): Record<string, unknown> {
  const content: Record<string, unknown> = {};
  for (const [key, value] of journal.entries(prefix)) content[key] = value;
  return content;
}

interface Handles {
  write(this: FileHandle, ...args: unknown[]): Promise<unknown>;
}

/** What all open files have in common. */
async function handles(): Promise<Handles> {
  const handle = await open(parent);
  await handle.close();
  return Object.getPrototypeOf(handle);
}

it('may lack records when it is new, and as a copy, which has no mark', async () => {
  const first = await openJournal();
  await first.write({ put: { a: 1 } });
  await first.close();
  const again = await openJournal();
  await again.close();
  await rm(`${folder}.mark`);
  const copy = await openJournal();

  expect([first, again, copy].map(({ isIncomplete }) => isIncomplete)).toEqual([true, false, true]);
});

describe('Journal', () => {
  it('passes over records that are not its own, and reports them', async () => {
    const foreign = await Spool.open(folder);
    await foreign.append(['no record', '{"key":"b"}', '[["a",1]]']);
    await foreign.close();
    const journal = await openJournal();
    await journal.write({ put: { c: 1 } });

    expect(contentOf(journal)).toEqual({ a: 1, c: 1 });
    expect(journal.recovered).toContain('2 records of an unknown kind');
    await journal.close();
    const again = await openJournal();
    expect([again.recovered, contentOf(again)]).toEqual([undefined, { a: 1, c: 1 }]);
  });

  it('does not take a value that is not JSON', async () => {
    const journal = await openJournal();

    await expect(journal.write({ put: { a: undefined } })).rejects.toThrow('a: the value');

    expect(contentOf(journal)).toEqual({});
  });

  it('does not grow with the number of changes, and needs the newest snapshot alone', async () => {
    const journal = await openJournal();
    for (let change = 0; change < 60; change += 1) {
      await journal.write({
        put: { a: change, b: 'x'.repeat(100_000) },
        delete: [`c/${change - 1}`],
      });
      await journal.write({ put: { [`c/${change}`]: change } });
    }
    await journal.close();

    const sizes = await Promise.all(
      (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(2_500_000);
    const again = await openJournal();
    expect(again.recovered).toBeUndefined();
    expect(contentOf(again)).toEqual({ a: 59, b: 'x'.repeat(100_000), 'c/59': 59 });
  });
});

describe('Journal on a bad disk', () => {
  it('keeps a damaged journal as it is while there is no space to save it', async (context) => {
    await mountSmall(context, parent, 'size=1m');
    const journal = await openJournal();
    await journal.write({ put: { a: 'x'.repeat(100_000) } });
    await journal.write({ put: { b: 1 } });
    await journal.write({ put: { c: 1 } });
    await journal.close();
    const [segment = ''] = (await readdir(folder)).filter((name) => name.endsWith('.spool'));
    const bytes = await readFile(join(folder, segment));
    bytes.write('2', bytes.indexOf('["b",1]') + 5);
    await writeFile(join(folder, segment), bytes);
    await fillUp();

    const full = await openJournal();
    expect(Object.keys(contentOf(full))).toEqual(['a', 'c']);
    expect(full.recovered).toContain('2 records were recovered');
    await full.close();
    expect(await readFile(join(folder, segment))).toEqual(bytes);

    await rm(join(parent, 'filling'));
    const again = await openJournal();
    expect(again.recovered).toContain('2 records were recovered');
    const kept = again.recovered?.split(' are in ').at(-1) ?? '';
    expect(await readFile(join(kept, segment))).toEqual(bytes);
    await again.close();
    const whole = await openJournal();
    expect([whole.recovered, Object.keys(contentOf(whole))]).toEqual([undefined, ['a', 'c']]);
  });

  /** To the last byte. */
  async function fillUp() {
    await writeFile(join(parent, 'filling'), Buffer.alloc(2_000_000)).catch(() => undefined);
  }

  it('takes a change out of the log again when only its sync failed', async () => {
    const journal = await openJournal();
    await journal.write({ put: { a: 'old' } });
    await failSync();

    const failed = journal.write({ put: { a: 'new', b: 'new' } });

    await expect(failed).rejects.toMatchObject({
      code: 'EIO',
      message: `${folder}: not written: the disk reports an error (EIO)`,
    });
    await journal.write({ put: { c: 1 } });
    expect(contentOf(journal)).toEqual({ a: 'old', c: 1 });
    await journal.close();
    expect(contentOf(await openJournal())).toEqual({ a: 'old', c: 1 });
  });

  /** As when the sync of the next append fails: the file has all of it. */
  async function failSync() {
    const prototype = await handles();
    const { write } = prototype;
    let isDone = false;
    vi.spyOn(prototype, 'write').mockImplementation(async function (this: FileHandle, ...args) {
      const result = await write.apply(this, args);
      // The mark is written to the beginning of its file, parallel to the appends.
      if (isDone || args[3] === 0) return result;
      isDone = true;
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    });
  }

  it('rejects a change for which there is no space, and takes changes once there is', async (context) => {
    await mountSmall(context, parent, 'size=1m');
    const journal = await openJournal();
    await journal.write({ put: { a: 'old', kept: 'k' } });
    await fillUp();

    const failed = journal.write({ put: { a: 'new', b: 'x'.repeat(200_000) }, delete: ['kept'] });
    await expect(failed).rejects.toMatchObject({
      code: 'ENOSPC',
      message: `${folder}: not written: the disk is full (ENOSPC)`,
    });
    // Long enough that it does not fit into what the last page of a full disk has left.
    await expect(journal.write({ put: { a: 'newer'.repeat(1000) } })).rejects.toMatchObject({
      code: 'ENOSPC',
    });

    expect(contentOf(journal)).toEqual({ a: 'old', kept: 'k' });
    await rm(join(parent, 'filling'));
    await journal.write({ put: { c: 1 } });
    expect(contentOf(journal)).toEqual({ a: 'old', kept: 'k', c: 1 });
    await journal.close();
    expect(contentOf(await openJournal())).toEqual({ a: 'old', kept: 'k', c: 1 });
  });
});

describe('Journal whose files are deleted', () => {
  it.each([
    { title: 'the folder', path: () => folder, isFolder: true },
    { title: 'the folder above', path: () => parent, isFolder: true },
    { title: 'the snapshot', path: () => join(folder, 'snapshot'), isFolder: false },
  ])('writes $title again, with all that was acknowledged', async ({ path, isFolder }) => {
    const journal = await openJournal();
    const expected: Record<string, unknown> = {};
    for (let change = 0; change < 30; change += 1) {
      const put = { [`a/${change}`]: 'x'.repeat(50_000) };
      await journal.write({ put });
      Object.assign(expected, put);
    }
    await expect.poll(() => readdir(folder)).toContain('snapshot');
    expect(await journal.restore()).toBe(false);
    await rm(path(), { recursive: true });

    expect(await journal.restore()).toBe(isFolder);
    expect(await journal.restore()).toBe(false);
    await journal.write({ put: { b: 1 } });
    await cp(folder, `${folder}.copy`, { recursive: true });
    await rm(join(folder, 'lock'), { recursive: true, force: true });
    await journal.close();

    for (const each of [folder, `${folder}.copy`]) {
      const found = await Journal.open(each);
      expect([found.recovered, contentOf(found)]).toEqual([undefined, { ...expected, b: 1 }]);
      await found.close();
    }
  });

  it('writes nothing while there are no changes', async () => {
    const journal = await openJournal();
    await journal.write({ put: { a: 1 } });
    const before = await stat(folder);
    const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.spool'));
    const { mtimeMs, size } = await stat(join(folder, name));

    for (let look = 0; look < 20; look += 1) await journal.restore();

    expect(await stat(join(folder, name))).toMatchObject({ mtimeMs, size });
    expect((await stat(folder)).mtimeMs).toBe(before.mtimeMs);
  });
});

it(`Journal has every acknowledged change, and none by half, after each of ${kills} times kill -9`, async () => {
  console.log(`kill -9 of the journal's writer: ${kills} kills`);
  const random = seeded(testSeed());

  const acknowledged = new Map<number, number>();
  for (let kill = 0; kill < kills; kill += 1) {
    const writer = startWriter(join(import.meta.dirname, '../testing/journal-writer.ts'), folder);
    // Some live so long that snapshots are written.
    for (const line of await killAfter(writer, random() ** 2 * 400)) {
      const [worker, version] = line.split(' ').map(Number);
      acknowledged.set(Number(worker), Number(version));
    }

    const journal = await openJournal();
    for (const worker of workers) {
      const records = contentOf(journal, `worker/${worker}/`);
      const version = Number(records[`worker/${worker}/version`] ?? 0);
      expect(version).toBeGreaterThanOrEqual(acknowledged.get(worker) ?? 0);
      expect(records).toEqual(recordsAt(worker, version));
    }
    if (journal.recovered) expect(journal.recovered).toContain('the last change');
    await journal.close();
  }
});

function recordsAt(worker: number, last: number): Record<string, unknown> {
  let records: Record<string, unknown> = {};
  for (let version = Math.max(1, last - keptVersions + 1); version <= last; version += 1) {
    records = { ...records, ...changeOf(worker, version).put };
  }
  return records;
}
