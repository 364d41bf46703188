/** What was acknowledged and is no longer in the files is damage. What a killed process had not acknowledged is not. */
import { appendFile, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { segmentsIn } from '../testing/spools.ts';
import { Spool } from './spool.ts';

const count = 40;
let folder: string;
beforeEach(async () => {
  folder = join(await tempDir(), 'spool');
});

/** Forty records of about 400 bytes, each acknowledged. */
async function fill(segmentBytes?: number): Promise<void> {
  const spool = await Spool.open(folder, segmentBytes === undefined ? {} : { segmentBytes });
  for (let seq = 1; seq <= count; seq += 1) {
    await spool.append([JSON.stringify({ seq, filling: 'f'.repeat(380) })]);
  }
  await spool.close();
}

async function segments(): Promise<string[]> {
  return (await segmentsIn(folder)).map((name) => join(folder, name));
}

async function newest(): Promise<string> {
  return (await segments()).at(-1) ?? 'none';
}

/** Opens it, reads it, and appends one record that must not take the number of a lost one. */
async function look() {
  const spool = await Spool.open(folder);
  const seen: number[] = [];
  for await (const { seq } of spool.read(1)) seen.push(seq);
  const { damage, tornBytes } = spool;
  const added = await spool.append(['"later"']);
  await spool.close();
  return { damage, tornBytes, seen, added };
}

async function zero(path: string, bytes: number): Promise<void> {
  const { size } = await stat(path);
  const handle = await open(path, 'r+');
  await handle.write(Buffer.alloc(bytes), 0, bytes, size - bytes);
  await handle.close();
}

describe('acknowledged records are missed', () => {
  it('where the last 4 KiB are zeros', async () => {
    await fill();
    const path = await newest();
    const before = await readFile(path);
    await zero(path, 4096);

    const { damage, tornBytes, seen, added } = await look();

    const missing = count - seen.length;
    expect(missing).toBeGreaterThanOrEqual(9);
    expect(damage).toMatchObject({ lines: 1, missing, kept: [`${path}.damaged`] });
    expect([tornBytes, added]).toEqual([0, count + 1]);
    const kept = await readFile(`${path}.damaged`);
    expect(kept).toHaveLength(damage?.bytes ?? 0);
    const torn = kept.length - 4096;
    expect(kept.subarray(0, torn)).toEqual(before.subarray(-kept.length, -4096));
  });

  it('where the end was cut off between two lines', async () => {
    await fill();
    const bytes = await readFile(await newest());
    await truncate(await newest(), bytes.indexOf(`\n`, bytes.indexOf(' 30 {')) + 1);

    const { damage, seen, added } = await look();

    expect(seen.at(-1)).toBe(30);
    expect(damage).toMatchObject({ lines: 0, missing: 10 });
    expect(added).toBe(count + 1);
  });

  it('where the end was cut off within a line, whose bytes are kept', async () => {
    await fill();
    const bytes = await readFile(await newest());
    await truncate(await newest(), bytes.indexOf(' 31 {') + 50);

    const { damage, tornBytes } = await look();

    expect(damage).toMatchObject({ lines: 1, missing: 10, bytes: 58 });
    expect(tornBytes).toBe(0);
    expect(await readFile(damage?.kept[0] ?? '', 'utf8')).toMatch(/^[0-9a-f]{8} 31 \{"seq":31,/);
  });

  it.each([
    { title: 'the only segment', segmentBytes: undefined, gone: -1, all: true },
    { title: 'the first segment', segmentBytes: 4000, gone: 0, all: false },
    { title: 'a segment in the middle', segmentBytes: 4000, gone: 2, all: false },
    { title: 'the newest segment', segmentBytes: 4000, gone: -1, all: false },
  ])('where $title has vanished', async ({ segmentBytes, gone, all }) => {
    await fill(segmentBytes);
    await rm((await segments()).at(gone) ?? 'none');

    const { damage, seen, added } = await look();

    expect(seen.length === 0).toBe(all);
    expect(damage).toMatchObject({ lines: 0, missing: count - seen.length });
    expect(added).toBe(count + 1);
  });

  it('where the whole folder has vanished', async () => {
    await fill();
    await rm(folder, { recursive: true });

    const { damage, added } = await look();

    expect(damage).toMatchObject({ lines: 0, missing: count });
    expect(added).toBe(count + 1);
  });

  it('but not those that were trimmed', async () => {
    await fill(4000);
    const spool = await Spool.open(folder);
    await spool.trim(25);
    const { first } = spool;
    await spool.close();
    await rm(folder, { recursive: true });

    const { damage } = await look();

    expect(first).toBeGreaterThan(1);
    expect(damage?.missing).toBe(count + 1 - first);
  });

  it.each([
    { title: 'zeros', damage: async () => zero(await newest(), 4096) },
    {
      title: 'a cut between two lines',
      damage: async () => {
        const bytes = await readFile(await newest());
        await truncate(await newest(), bytes.indexOf('\n', bytes.indexOf(' 30 {')) + 1);
      },
    },
    { title: 'a deleted folder', damage: () => rm(folder, { recursive: true }) },
  ])('until what $title left has been trimmed', async ({ damage }) => {
    await fill();
    await damage();
    const spool = await Spool.open(folder);
    expect(spool.damage).toBeDefined();
    await spool.append(['"later"']);
    await spool.trim(spool.next);
    await spool.close();

    expect((await look()).damage).toBeUndefined();
  });
});

describe('a torn end that was never acknowledged', () => {
  it('is set aside and cut off, and is no damage', async () => {
    await fill();
    const path = await newest();
    const torn = `12345678 ${count + 1} {"seq"`;
    await appendFile(path, torn);

    const { damage, tornBytes, seen } = await look();

    expect([damage, tornBytes, seen.length]).toEqual([undefined, torn.length, count]);
    expect(await readFile(`${path}.torn`, 'utf8')).toBe(torn);
    const again = await look();
    expect([again.damage, again.tornBytes]).toEqual([undefined, 0]);
  });

  it('is reported once where it is zeros, since their content is unknown', async () => {
    await fill();
    const path = await newest();
    await appendFile(path, Buffer.alloc(5000));

    const { damage, seen } = await look();

    expect(seen).toHaveLength(count);
    expect(damage).toMatchObject({ lines: 1, missing: 0, bytes: 5000, kept: [`${path}.damaged`] });
    const spool = await Spool.open(folder);
    await spool.trim(spool.next);
    await spool.close();
    expect((await look()).damage).toBeUndefined();
  });
});

describe('a spool without its mark', () => {
  it.each([
    { title: 'is missing', spoil: (path: string) => rm(path) },
    { title: 'is damaged', spoil: (path: string) => truncate(path, 20) },
  ])('opens where the mark $title, and has one again', async ({ spoil }) => {
    await fill();
    await spoil(`${folder}.mark`);
    await appendFile(await newest(), `12345678 ${count + 1} {"seq"`);

    const { damage, tornBytes, added } = await look();

    expect([damage, tornBytes, added]).toEqual([undefined, 18, count + 1]);
    await rm(folder, { recursive: true });
    expect((await look()).damage).toMatchObject({ missing: count + 1 });
  });

  it('still reports zeros at its end', async () => {
    await fill();
    await rm(`${folder}.mark`);
    await zero(await newest(), 4096);

    expect((await look()).damage).toMatchObject({ lines: 1 });
  });
});
