import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import type { JumphostArchive } from './archive.ts';
import { Archives } from './archives.ts';

const about = { time: '2026-11-20T03:15:00Z', run: 'r1', by: 'schedule' };

/** As `archiveJumphost` leaves it. */
async function archiveIn(
  { folder }: Pick<Archives, 'folder'>,
  digest: string,
): Promise<JumphostArchive> {
  const content = randomBytes(1000);
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  await writeFile(file, content, { mode: 0o600 });
  return {
    file,
    digest,
    size: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    plain: { size: 5000, sha1: createHash('sha1').update(digest).digest('hex') },
    files: 12,
    history: true,
    left: [{ path: '/x', why: 'it is a socket, which has no content' }],
  };
}

describe('Archives', () => {
  it('has what was added, also after a restart', async () => {
    const parent = join(await tempDir(), 'state/archives');
    const archives = await Archives.open(parent, 'jumphost-rack4');
    const first = await archiveIn(archives, 'one');
    // On another volume, as the host leaves it.
    const host = await tempDir();
    const second = await archiveIn({ folder: host }, 'two');

    const added = await archives.add(first, about);
    await archives.add(second, { ...about, time: '2026-11-21T03:15:00Z', reason: 'why not' });
    const again = await Archives.open(parent, 'jumphost-rack4');

    expect(added.changed).toBe(true);
    expect(added.version).toEqual({
      id: `2026-11-20T03-15-00Z-${first.sha256.slice(0, 12)}`,
      device: 'jumphost-rack4',
      time: '2026-11-20T03:15:00.000Z',
      model: 'jumphost',
      size: 5000,
      shownSize: first.size,
      sha1: first.plain.sha1,
      run: 'r1',
      by: 'schedule',
      summary: 'jumphost-rack4: 12 files, 1 omitted (/x)',
    });
    expect(again.versions()).toEqual(archives.versions());
    expect(again.versions().map(({ reason }) => reason)).toEqual(['why not', undefined]);
    expect(again.newest()?.time).toBe('2026-11-21T03:15:00.000Z');
    expect(again.count()).toBe(2);
    expect(await readdir(host)).toEqual([]);
    const file = again.file(added.version.id);
    const bytes = await readFile(file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(first.sha256);
    expect(file).toMatch(/\.tar\.gz\.age$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('adds none that equals the newest', async () => {
    const archives = await Archives.open(await tempDir(), 'j');
    const first = await archives.add(await archiveIn(archives, 'one'), about);

    const same = await archives.add(await archiveIn(archives, 'one'), about);
    const other = await archives.add(await archiveIn(archives, 'two'), about);
    const back = await archives.add(await archiveIn(archives, 'one'), about);

    expect(same).toEqual({ version: first.version, changed: false });
    expect([other.changed, back.changed]).toEqual([true, true]);
    // In one second, and each behind the one before.
    expect(archives.versions().map(({ id }) => id.slice(0, 20))).toEqual([
      '2026-11-20T03-15-02Z',
      '2026-11-20T03-15-01Z',
      '2026-11-20T03-15-00Z',
    ]);
    expect(await readdir(archives.folder)).toHaveLength(6);
  });

  it('knows the newest although the clock went back', async () => {
    const parent = await tempDir();
    const archives = await Archives.open(parent, 'j');
    await archives.add(await archiveIn(archives, 'one'), { time: '2031-01-01T00:00:00Z' });
    await archives.add(await archiveIn(archives, 'two'), { time: '2026-11-20T03:15:00Z' });
    const third = await archives.add(await archiveIn(archives, 'three'), {
      time: '2026-11-21T03:15:00Z',
    });

    const again = await Archives.open(parent, 'j');

    expect(again.newest()).toEqual(third.version);
    expect(third.version.time).toBe('2026-11-21T03:15:00.000Z');
  });

  it('removes files of a killed process, and nothing else', async () => {
    const parent = await tempDir();
    const archives = await Archives.open(parent, 'j');
    const { version } = await archives.add(await archiveIn(archives, 'one'), about);
    const { folder } = archives;
    await archiveIn(archives, 'never added');
    await writeFile(join(folder, `2026-11-20T04-00-00Z-0123456789ab.json`), '{}');
    await writeFile(join(folder, 'note of a person.txt'), 'do not touch');

    const again = await Archives.open(parent, 'j');

    expect((await readdir(folder)).toSorted()).toEqual([
      `${version.id}.json`,
      `${version.id}.tar.gz.age`,
      'note of a person.txt',
    ]);
    expect(again.versions()).toEqual([version]);
  });

  it('still has an archive whose facts are lost', async () => {
    const parent = await tempDir();
    const archives = await Archives.open(parent, 'j');
    const { version } = await archives.add(await archiveIn(archives, 'one'), about);
    const kept = archives.file(version.id);
    await writeFile(join(archives.folder, `${version.id}.json`), 'half of i');

    const again = await Archives.open(parent, 'j');
    const next = await again.add(await archiveIn(again, 'one'), about);

    expect(again.versions()[1]).toEqual({
      id: version.id,
      device: 'j',
      time: '2026-11-20T03:15:00.000Z',
      model: 'jumphost',
      shownSize: version.shownSize,
      isPartial: true,
    });
    expect(again.file(version.id)).toEqual(kept);
    expect(next.changed).toBe(true);
  });

  it('rejects what the disk does not give back', async () => {
    const archives = await Archives.open(await tempDir(), 'j');
    const archive = await archiveIn(archives, 'one');
    const bytes = await readFile(archive.file);
    bytes[500] = (bytes[500] ?? 0) ^ 1;
    await writeFile(archive.file, bytes);

    const error = await archives.add(archive, about).catch((error: unknown) => error);

    expect(error).toMatchObject({ code: 'damaged' });
    expect(archives.versions()).toEqual([]);
  });

  it('retains the newest, and at least one', async () => {
    const archives = await Archives.open(await tempDir(), 'j');
    const ids: string[] = [];
    for (const digest of ['one', 'two', 'three']) {
      ids.push((await archives.add(await archiveIn(archives, digest), about)).version.id);
    }

    const retained = () => archives.versions().map(({ id }) => id);
    await archives.retain(2);
    expect(retained()).toEqual([ids[2], ids[1]]);
    await archives.retain(0);
    expect(retained()).toEqual([ids[2]]);
    expect(await readdir(archives.folder)).toHaveLength(2);
  });

  it('names the folder that cannot be written', async () => {
    const parent = await tempDir();
    await writeFile(join(parent, 'j'), 'a file');

    const error = await Archives.open(parent, 'j').catch((error: unknown) => error);

    expect(error).toMatchObject({ code: 'storage', message: expect.stringContaining(parent) });
  });
});

describe('the machine history', () => {
  const due = { timezone: 'Australia/Sydney', retained: 30 };
  const aDay = 86_400_000;
  /** A Sunday, 03:15 in Sydney. */
  const sunday = Date.parse('2026-11-21T16:15:00Z');

  /** An archive with the history, and then others without it. */
  async function archivesWith({ at, others = 0 }: { at: number; others?: number }) {
    const parent = await tempDir();
    const archives = await Archives.open(parent, 'j');
    for (let number = 0; number <= others; number += 1) {
      const archive = await archiveIn(archives, `${number}`);
      const time = new Date(at + number * aDay).toISOString();
      await archives.add({ ...archive, history: number === 0 }, { time });
    }
    return { parent, archives: await Archives.open(parent, 'j') };
  }

  it.each([
    ['of this Sunday', { at: sunday - 3_600_000 }, sunday, false],
    ['of yesterday, a Saturday', { at: sunday - aDay }, sunday, true],
    ['of Sunday, on Saturday', { at: sunday, others: 5 }, sunday + 6 * aDay, false],
    ['of Wednesday, on Wednesday', { at: sunday + 3 * aDay }, sunday + 10 * aDay, true],
    ['of Wednesday, and off on Sunday', { at: sunday - 4 * aDay }, sunday + 2 * aDay, false],
    ['of Wednesday, and off for weeks', { at: sunday - 4 * aDay }, sunday + 15 * aDay, true],
    ['of the next year', { at: sunday + 365 * aDay }, sunday + aDay, true],
    ['that the next archive would displace', { at: sunday, others: 29 }, sunday + aDay, true],
  ])('%s is followed by another: %o', async (_, made, now, expected) => {
    const { archives } = await archivesWith(made);

    expect(archives.isHistoryDue(now, due)).toBe(expected);
  });

  it('is never displaced, however many archives are retained', async () => {
    const archives = await Archives.open(await tempDir(), 'j');
    for (const retained of [1, 2, 3]) {
      for (let number = 0; number < 5; number += 1) {
        const now = sunday + aDay + number * 3_600_000;
        const history = archives.isHistoryDue(now, { ...due, retained });
        const archive = await archiveIn(archives, `${retained} ${number}`);
        await archives.add({ ...archive, history }, { time: new Date(now).toISOString() });
        await archives.retain(retained);

        expect(archives.versions().some(({ isPartial }) => !isPartial)).toBe(true);
      }
    }
  });

  it('is due where no facts tell that an archive contains it', async () => {
    const { parent, archives } = await archivesWith({ at: sunday });
    await writeFile(join(archives.folder, `${archives.newest()?.id}.json`), 'half of i');
    const again = await Archives.open(parent, 'j');

    expect(again.isHistoryDue(sunday + aDay, due)).toBe(true);
  });

  it('is in the archives of earlier releases, whose facts do not mention it', async () => {
    const { parent, archives } = await archivesWith({ at: sunday });
    const file = join(archives.folder, `${archives.newest()?.id}.json`);
    await writeFile(file, (await readFile(file, 'utf8')).replace('"history":true,', ''));
    const again = await Archives.open(parent, 'j');

    expect(again.isHistoryDue(sunday + aDay, due)).toBe(false);
  });
});
