import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { ReadingNote } from './reading-note.ts';

describe('ReadingNote', () => {
  it('counts deaths while the spool was being read, until it was read', async () => {
    const dir = await tempDir();
    const begin = () => new ReadingNote(dir, 'boot').begin();

    expect([await begin(), await begin(), await begin()]).toEqual([0, 1, 2]);
    await new ReadingNote(dir, 'boot').end();
    expect(await begin()).toBe(0);
  });

  it('does not count a process that stops by itself, nor forgets the deaths before', async () => {
    const dir = await tempDir();
    const note = () => new ReadingNote(dir, 'boot');
    const counts: number[] = [];
    for (let start = 0; start < 6; start += 1) {
      const reading = note();
      counts.push(await reading.begin());
      if (start !== 1 && start !== 4) await reading.interrupt();
    }

    expect(counts).toEqual([0, 0, 1, 1, 1, 2]);
  });

  it('does not count deaths of another boot, nor without a boot ID', async () => {
    const dir = await tempDir();
    await new ReadingNote(dir, 'one').begin();
    await new ReadingNote(dir, 'one').begin();

    expect(await new ReadingNote(dir, 'another').begin()).toBe(0);
    const unknown = new ReadingNote(await tempDir(), '');
    expect([await unknown.begin(), await unknown.begin()]).toEqual([0, 0]);
  });

  it.each(['', '{"boot":"boot"', '[]', '{"boot":"boot","phase":"x","deaths":9}'])(
    'begins again after a damaged note: %s',
    async (text) => {
      const dir = await tempDir();
      await writeFile(join(dir, 'reading.json'), text);

      expect(await new ReadingNote(dir, 'boot').begin()).toBe(0);
    },
  );

  it('does not prevent reading if it cannot be written', async () => {
    expect(await new ReadingNote('/dev/null/none', 'boot').begin()).toBe(0);
  });
});
