import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { changeOf, keptVersions, lanes } from './journal.test-writer.ts';
import { Journal } from './journal.ts';
import { JournalUnavailable } from './journal-unavailable.ts';
import { kills, killWithin, seed, seeded, startWriter } from './kill-test.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

let parent: string;
let folder: string;
const opened: Journal[] = [];
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'skolo-durable-'));
  folder = join(parent, 'journal');
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const journal of opened.splice(0)) await journal.close();
  await rm(parent, { recursive: true });
});

async function openJournal(): Promise<Journal> {
  const journal = await Journal.open(folder);
  opened.push(journal);
  return journal;
}

async function contentOf(journal: Journal, prefix = ''): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for await (const [key, value] of journal.entries(prefix)) content[key] = value;
  return content;
}

describe('Journal', () => {
  it('keeps records over a restart', async () => {
    const first = await openJournal();
    await first.write({
      put: { 'cycle/1': { step: 'off' }, 'cycle/2': [1, null], 'wish/a': 'grüezi' },
    });
    await first.write({ put: { 'cycle/1': { step: 'on' } }, delete: ['cycle/2', 'cycle/none'] });
    await first.close();

    const second = await openJournal();

    expect(await contentOf(second)).toEqual({ 'cycle/1': { step: 'on' }, 'wish/a': 'grüezi' });
    expect(await second.get('cycle/1')).toEqual({ step: 'on' });
    expect(await second.get('cycle/2')).toBeUndefined();
    expect(second.damaged).toBe(0);
  });

  it('gives the records of a prefix, by key', async () => {
    const journal = await openJournal();
    await journal.write({ put: { 'b/2': 2, 'b/10': 10, b: 0, 'c/1': 1, 'a/1': 1, 'b/1': 1 } });

    expect(Object.keys(await contentOf(journal, 'b/'))).toEqual(['b/1', 'b/10', 'b/2']);
    expect(await contentOf(journal, 'none')).toEqual({});
  });

  it('puts a key that a change also deletes', async () => {
    const journal = await openJournal();

    await journal.write({ delete: ['a'], put: { a: 1 } });

    expect(await journal.get('a')).toBe(1);
  });

  it('lets writers that come together share a sync, in order', async () => {
    const batch = vi.spyOn(ClassicLevel.prototype, 'batch');
    const journal = await openJournal();

    const versions = Array.from({ length: 100 }, (_, version) => version);
    await Promise.all(
      versions.map((version) => journal.write({ put: { version, [version]: true } })),
    );

    expect(await journal.get('version')).toBe(99);
    expect(Object.keys(await contentOf(journal))).toHaveLength(101);
    expect(batch.mock.calls.length).toBeLessThan(5);
    for (const call of batch.mock.calls) expect(call).toMatchObject([{}, { sync: true }]);
  });

  it('passes over records that are not its own, and counts them', async () => {
    const foreign = new ClassicLevel(folder);
    await foreign.batch([
      { type: 'put', key: 'a', value: 'no record' },
      { type: 'put', key: 'b', value: '00000000 {"checksum":"wrong"}' },
    ]);
    await foreign.close();
    const journal = await openJournal();
    await journal.write({ put: { c: 1 } });

    expect(await contentOf(journal)).toEqual({ c: 1 });
    expect(await journal.get('a')).toBeUndefined();
    expect(journal.damaged).toBe(2);
  });

  it.each([
    { title: 'no key', change: { put: { '': 1 } }, message: '"" is no key' },
    { title: 'a key of its own', change: { delete: ['\0a'] }, message: '"\\u0000a" is no key' },
    {
      title: 'a value that is not JSON',
      change: { put: { a: undefined } },
      message: 'a: the value',
    },
  ])('refuses $title', async ({ change, message }) => {
    const journal = await openJournal();

    await expect(journal.write(change)).rejects.toThrow(message);

    expect(await contentOf(journal)).toEqual({});
  });

  it('finishes the writes that wait when it is closed, and takes no others', async () => {
    const journal = await openJournal();
    const waiting = journal.write({ put: { a: 1 } });
    await journal.close();

    await waiting;
    await expect(journal.write({ put: { b: 1 } })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(journal.get('a')).rejects.toMatchObject({
      message: `${folder}: not read: it is closed (CLOSED)`,
    });
    expect(await contentOf(await openJournal())).toEqual({ a: 1 });
  });

  it('is one process’s', async () => {
    const writer = startWriter('journal.test-writer.ts', folder);
    onTestFinished(() => void writer.kill('SIGKILL'));
    if (writer.stdout) await once(writer.stdout, 'data');

    const refused = Journal.open(folder);
    await expect(refused).rejects.toThrow(JournalUnavailable);
    const lines = killWithin(writer, 0);

    await expect(refused).rejects.toMatchObject({
      code: 'LOCKED',
      message: `${folder}: not opened: another process has it open; one journal belongs to one process (LOCKED)`,
    });
    expect((await lines).length).toBeGreaterThan(0);
    await openJournal();
  });

  it('says what is wrong where it cannot be', async () => {
    await writeFile(folder, 'a file');

    await expect(Journal.open(folder)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});

describe('Journal on a bad disk', () => {
  it('says that the file system is read-only, and can still be opened later', async ({ skip }) => {
    await mountSmall(skip, '1m');
    try {
      const journal = await openJournal();
      await journal.write({ put: { a: 1 } });
      await journal.close();
      await run('mount', ['-o', 'remount,ro', parent]);

      await expect(Journal.open(folder)).rejects.toMatchObject({
        code: 'EROFS',
        message: `${folder}: not opened: the file system is read-only (EROFS)`,
      });

      await run('mount', ['-o', 'remount,rw', parent]);
      expect(await contentOf(await openJournal())).toEqual({ a: 1 });
    } finally {
      for (const journal of opened.splice(0)) await journal.close();
      await run('umount', [parent]);
    }
  });

  it('is not opened on a full disk, and loses nothing by the try', async ({ skip }) => {
    await mountSmall(skip, '1m');
    try {
      const journal = await openJournal();
      await journal.write({ put: { a: 'x'.repeat(100_000) } });
      await journal.close();
      await fillUp();

      await expect(Journal.open(folder)).rejects.toMatchObject({ code: 'ENOSPC' });

      await rm(join(parent, 'filling'));
      const again = await openJournal();
      expect(Object.keys(await contentOf(again))).toEqual(['a']);
      expect(again.recovered).toBeUndefined();
    } finally {
      for (const journal of opened.splice(0)) await journal.close();
      await run('umount', [parent]);
    }
  });

  it('keeps a damaged journal as it is while there is no room to save it', async ({ skip }) => {
    await mountSmall(skip, '1m');
    try {
      const journal = await openJournal();
      await journal.write({ put: { a: 'x'.repeat(100_000) } });
      await journal.close();
      await rm(join(folder, 'CURRENT'));
      await fillUp();

      await expect(Journal.open(folder)).rejects.toMatchObject({ code: 'ENOSPC' });

      await rm(join(parent, 'filling'));
      const again = await openJournal();
      expect(Object.keys(await contentOf(again))).toEqual(['a']);
      expect(again.recovered).toContain('1 record was saved');
    } finally {
      for (const journal of opened.splice(0)) await journal.close();
      await run('umount', [parent]);
    }
  });

  /** To the last byte. */
  async function fillUp() {
    await writeFile(join(parent, 'filling'), Buffer.alloc(2_000_000)).catch(() => undefined);
  }

  it('takes a change out of the log again when only its sync failed', async () => {
    const journal = await openJournal();
    await journal.write({ put: { a: 'old' } });
    failAfterWriting(2);

    const failed = journal.write({ put: { a: 'new', b: 'new' } });

    await expect(failed).rejects.toMatchObject({
      code: 'EIO',
      message: `${folder}: not written: the disk reports an error (EIO)`,
    });
    await journal.write({ put: { c: 1 } });
    expect(await contentOf(journal)).toEqual({ a: 'old', c: 1 });
    await journal.close();
    expect(await contentOf(await openJournal())).toEqual({ a: 'old', c: 1 });
  });

  it('takes it out at once, since the process may die next', async () => {
    const journal = await openJournal();
    await journal.write({ put: { a: 'old' } });
    failAfterWriting(2);

    await expect(journal.write({ put: { a: 'new' } })).rejects.toThrow(JournalUnavailable);

    await cp(folder, `${folder}.copy`, { recursive: true });
    const copy = await Journal.open(`${folder}.copy`);
    expect(await contentOf(copy)).toEqual({ a: 'old' });
    await copy.close();
  });

  it('tries again before it gives up, and each waiting change alone', async () => {
    const journal = await openJournal();
    failAfterWriting(2);

    const outcomes = await Promise.allSettled([
      journal.write({ put: { a: 1 } }),
      journal.write({ put: { b: 1 } }),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await contentOf(journal)).toEqual({ b: 1 });
  });

  /** As when fsync(2) fails: the log has all of it. */
  function failAfterWriting(times: number) {
    const levels: { batch(...call: never[]): unknown } = ClassicLevel.prototype;
    const { batch } = levels;
    const spy = vi.spyOn(levels, 'batch');
    async function fail(this: unknown, ...call: never[]) {
      await Reflect.apply(batch, this, call);
      throw Object.assign(new Error('IO error: 000003.log: Input/output error'), {
        code: 'LEVEL_IO_ERROR',
      });
    }
    for (let time = 0; time < times; time += 1) spy.mockImplementationOnce(fail);
  }

  async function mountSmall(skip: (note: string) => never, size: string) {
    if (!isRoot || process.platform !== 'linux') skip('needs root to mount a small tmpfs');
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', parent]).catch(() =>
      skip('may not mount a small tmpfs here'),
    );
  }

  it('refuses a change for which there is no room, and goes on once there is', async ({ skip }) => {
    await mountSmall(skip, '1m');
    try {
      const journal = await openJournal();
      await journal.write({ put: { a: 'old', kept: 'k' } });
      await writeFile(join(parent, 'filling'), Buffer.alloc(990_000));

      const failed = journal.write({ put: { a: 'new', b: 'x'.repeat(200_000) }, delete: ['kept'] });
      await expect(failed).rejects.toMatchObject({
        code: 'ENOSPC',
        message: `${folder}: not written: the disk is full (ENOSPC)`,
      });
      await expect(journal.write({ put: { a: 'newer' } })).rejects.toMatchObject({
        code: 'ENOSPC',
      });

      expect(await contentOf(journal)).toEqual({ a: 'old', kept: 'k' });
      await rm(join(parent, 'filling'));
      await journal.write({ put: { c: 1 } });
      expect(await contentOf(journal)).toEqual({ a: 'old', kept: 'k', c: 1 });
      await journal.close();
      expect(await contentOf(await openJournal())).toEqual({ a: 'old', kept: 'k', c: 1 });
    } finally {
      for (const journal of opened.splice(0)) await journal.close();
      await run('umount', [parent]);
    }
  });
});

describe('Journal and kill -9', () => {
  it(`has every acknowledged change, and none by half, after each of ${kills} times kill -9 (seed ${seed})`, async () => {
    console.log(`kill -9 of the journal's writer: ${kills} kills, SKOLO_SEED=${seed}`);
    const random = seeded(seed);

    const acknowledged = new Map<number, number>();
    for (let kill = 0; kill < kills; kill += 1) {
      const writer = startWriter('journal.test-writer.ts', folder);
      // Some live so long that LevelDB begins another log, or merges tables.
      for (const line of await killWithin(writer, random() ** 2 * 400)) {
        const [lane, version] = line.split(' ').map(Number);
        acknowledged.set(Number(lane), Number(version));
      }

      const journal = await openJournal();
      for (const lane of lanes) {
        const records = await contentOf(journal, `lane/${lane}/`);
        const version = Number(records[`lane/${lane}/version`] ?? 0);
        expect(version).toBeGreaterThanOrEqual(acknowledged.get(lane) ?? 0);
        expect(records).toEqual(recordsAt(lane, version));
      }
      expect(journal.damaged).toBe(0);
      if (journal.recovered) expect(journal.recovered).toContain('the last change');
      await journal.close();
    }
  }, 3_600_000);
});

function recordsAt(lane: number, last: number): Record<string, unknown> {
  let records: Record<string, unknown> = {};
  for (let version = Math.max(1, last - keptVersions + 1); version <= last; version += 1) {
    records = { ...records, ...changeOf(lane, version).put };
  }
  return records;
}
