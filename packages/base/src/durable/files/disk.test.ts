import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountFreezable, tempDir } from '@skolo/base/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Journal } from '../journal/journal.ts';
import { Spool } from '../spool/spool.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { hangingDisk, isWaitingForDisk, toDisk } from './disk.ts';
import { appendLines } from './line-file.ts';

/** Each opens in a directory, and returns a write. */
const writers = {
  'an atomic file': async (dir: string) => () => writeFileAtomic(join(dir, 'file'), 'text'),
  'lines that are appended': async (dir: string) => () => appendLines(join(dir, 'lines'), 'line\n'),
  'a spool': async (dir: string) => {
    const spool = await Spool.open(join(dir, 'spool'));
    onTestFinished(() => spool.close());
    return () => spool.append(['text']);
  },
  'a journal': async (dir: string) => {
    const journal = await Journal.open(join(dir, 'journal'));
    onTestFinished(() => journal.close());
    return () => journal.write({ put: { key: 'text' } });
  },
};

it.for(Object.entries(writers))(
  'a disk that hangs is noticed by a write of %s, until it responds',
  async ([, open], context) => {
    const dir = await tempDir();
    await mkdir(join(dir, 'state'));
    const disk = await mountFreezable(context, join(dir, 'state'));
    const write = await open(join(dir, 'state'));
    await write();

    await disk.freeze();
    const start = performance.now();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(start);
    const written = write();
    await expect.poll(isWaitingForDisk).toBe(true);
    const before = hangingDisk();
    clock.mockReturnValue(start + 5100);
    const found = hangingDisk();
    clock.mockRestore();
    expect(before).toBeUndefined();
    expect(found?.why).toMatch(/^the disk has not responded for 5 s/);
    await disk.thaw();
    await written;

    expect(hangingDisk()).toBeUndefined();
  },
);

it('a computer that is slow is no disk that hangs', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const change = toDisk(() => promise);
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
  const found = hangingDisk();
  clock.mockRestore();
  resolve();
  await change;

  expect(found).toBeUndefined();
});
