/** A kill does not lose what the kernel holds, a power cut does: when is what synced, and what if that fails? */
import { constants } from 'node:fs';
import { cp, type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSpool, segmentsIn } from '../testing/spools.ts';
import { Spool } from './spool.ts';

type Step = 'datasync' | 'sync' | 'truncate' | 'write' | 'read';
type Handles = Record<Step, (this: FileHandle, ...args: unknown[]) => Promise<unknown>>;

let parent: string;
let folder: string;
let handles: Handles;
beforeEach(async () => {
  parent = await tempDir();
  folder = join(parent, 'spool');
  const probe = await open(parent);
  handles = Object.getPrototypeOf(probe);
  await probe.close();
});
afterEach(() => void vi.restoreAllMocks());

async function textsOf(spool: Spool): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of spool.read(1)) texts.push(text);
  return texts;
}

/** What is there if the process dies now. */
async function textsIfItDied(): Promise<string[]> {
  const copy = `${folder}.copy`;
  await cp(folder, copy, { recursive: true });
  const spool = await Spool.open(copy);
  expect(spool.damage).toBeUndefined();
  const texts = await textsOf(spool);
  await spool.close();
  await rm(copy, { recursive: true });
  return texts;
}

/** Whether the kernel returns from a write when it is on the disk. The mark is written without it, parallel to the appends. */
async function isDurable({ fd }: FileHandle): Promise<boolean> {
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8');
  const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '', 8);
  return (flags & constants.O_DSYNC) !== 0;
}

/** Calls `after` with the kind of file when the step is done; writes that the kernel may still hold are left out. */
function watch(step: Step, after: (kind: string) => Promise<void> | void) {
  const real = handles[step];
  vi.spyOn(handles, step).mockImplementation(async function (this: FileHandle, ...args) {
    const isLeftOut = step === 'write' && !(await isDurable(this));
    const isFolder = (await this.stat()).isDirectory();
    const result = await real.apply(this, args);
    if (!isLeftOut) await after(isFolder ? 'folder' : 'file');
    return result;
  });
}

/** So often; the step is done, or not, and reported as failed: after a write that is done, only its sync failed. */
function fail(step: Step, { times = 1, code = 'EIO', isDone = true } = {}) {
  const real = handles[step];
  let left = times;
  vi.spyOn(handles, step).mockImplementation(async function (this: FileHandle, ...args) {
    const isMark = step === 'write' && !(await isDurable(this));
    const isFailing = left > 0 && !isMark;
    if (isFailing) left -= 1;
    const result = isDone || !isFailing ? await real.apply(this, args) : undefined;
    if (isFailing) throw Object.assign(new Error(code), { code });
    return result;
  });
}

describe('Spool, when the power is cut', () => {
  it('has synced a record before it is acknowledged, and the folder when a segment began', async () => {
    const spool = await openSpool(folder, { segmentBytes: 250 });
    const steps: string[] = [];
    watch('write', async (what) => {
      const name = (await segmentsIn(folder)).at(-1) ?? '';
      const lines = (await readFile(join(folder, name), 'utf8')).trim().split('\n');
      steps.push(`${what} ${Number.parseInt(name, 10)} ends with ${lines.at(-1)?.slice(9, 13)}`);
    });
    watch('sync', (what) => void steps.push(`${what} synced`));

    for (let seq = 1; seq <= 3; seq += 1) {
      await spool.append([`"${'x'.repeat(80)}"`]);
      steps.push(`${seq} acknowledged`);
    }

    expect(steps).toEqual([
      'file 1 ends with 1 "x',
      'folder synced',
      '1 acknowledged',
      'file 1 ends with 2 "x',
      '2 acknowledged',
      'file 3 ends with 3 "x',
      'folder synced',
      '3 acknowledged',
    ]);
  });

  it('lets appends that come together share a sync, in order', async () => {
    const spool = await openSpool(folder);
    await spool.append(['"first"']);
    let syncs = 0;
    watch('write', () => {
      syncs += 1;
    });

    const places = Array.from({ length: 100 }, (_, place) => place);
    const seqs = await Promise.all(places.map((place) => spool.append([`${place}`])));

    expect(seqs).toEqual(places.map((place) => place + 2));
    expect(await textsOf(spool)).toEqual(['"first"', ...places.map(String)]);
    expect(syncs).toBeLessThan(5);
  });

  it('has synced the cursors before it deletes the segments that they have passed', async () => {
    const spool = await openSpool(folder, { segmentBytes: 200 });
    for (let seq = 1; seq <= 4; seq += 1) await spool.append([`"${'x'.repeat(80)}"`]);
    const before = await segmentsIn(folder);
    spool.setCursor('pubsub', 4);
    const found: unknown[] = [];
    watch('write', async () => {
      const names = await segmentsIn(folder);
      const text = await readFile(join(folder, names.at(-1) ?? ''), 'utf8');
      found.push({ names, hasCursor: text.includes('{"pubsub":4}') });
    });

    await spool.trim(4);

    expect(found).toEqual([{ names: expect.arrayContaining(before), hasCursor: true }]);
    for (const name of before.slice(0, 3)) expect(await segmentsIn(folder)).not.toContain(name);
  });

  it('has synced the records of a killed process before any reader gets them', async () => {
    const first = await openSpool(folder);
    await first.append(['1']);
    await first.close();
    const synced: string[] = [];
    for (const step of ['datasync', 'sync'] as const) watch(step, (what) => void synced.push(what));

    await openSpool(folder);

    expect(synced).toEqual(['file', 'folder']);
  });
});

describe('Spool on a bad disk', () => {
  it('takes records out again when only their sync failed, and continues in another file', async () => {
    const spool = await openSpool(folder);
    await spool.append(['"old"']);
    fail('write');

    const failed = spool.append(['"rejected"', '"rejected, too"']);

    await expect(failed).rejects.toMatchObject({
      code: 'EIO',
      message: `${folder}: not written: the disk reports an error (EIO)`,
    });
    expect(await textsIfItDied()).toEqual(['"old"']);
    expect(await spool.append(['"new"'])).toBe(2);
    expect(await segmentsIn(folder)).toEqual(['0000000000000001.spool', '0000000000000002.spool']);
    expect(await textsOf(spool)).toEqual(['"old"', '"new"']);
    await spool.close();
    expect(await textsOf(await openSpool(folder))).toEqual(['"old"', '"new"']);
  });

  it('voids records that cannot be taken out again', async () => {
    const spool = await openSpool(folder);
    await spool.append(['"old"']);
    fail('write');
    fail('truncate', { isDone: false });

    await expect(spool.append(['"rejected"', '"rejected, too"'])).rejects.toMatchObject({
      code: 'EIO',
    });

    expect(await readFile(join(folder, '0000000000000001.spool'), 'utf8')).toContain('rejected');
    expect(await textsIfItDied()).toEqual(['"old"']);
    expect(await spool.append(['"new"'])).toBe(2);
    expect(await textsOf(spool)).toEqual(['"old"', '"new"']);
    await spool.close();
    const again = await openSpool(folder);
    expect(await textsOf(again)).toEqual(['"old"', '"new"']);
    expect([again.damage, again.next]).toEqual([undefined, 3]);
  });

  it('writes others that waited one by one', async () => {
    const spool = await openSpool(folder);
    await spool.append(['"old"']);
    fail('write', { times: 2, code: 'ENOSPC' });

    const outcomes = await Promise.allSettled(
      ['222', '333', '4', '5'].map((text) => spool.append([text])),
    );

    // The second is no smaller than the first, which did not fit.
    expect(outcomes.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await textsOf(spool)).toEqual(['"old"', '4', '5']);
    expect(await textsIfItDied()).toEqual(['"old"', '4', '5']);
  });

  it.each(['write', 'sync'] as const)('begins no segment whose %s fails', async (step) => {
    const spool = await openSpool(folder, { segmentBytes: 100 });
    await spool.append([`"${'x'.repeat(80)}"`]);
    fail(step);

    await expect(spool.append(['"rejected"'])).rejects.toMatchObject({ code: 'EIO' });

    expect(await textsIfItDied()).toHaveLength(1);
    expect(await segmentsIn(folder)).toEqual(['0000000000000001.spool']);
    expect(await spool.append(['"new"'])).toBe(2);
    expect(await textsIfItDied()).toEqual([expect.any(String), '"new"']);
  });

  it('continues in the same file after a full disk', async () => {
    const spool = await openSpool(folder);
    await spool.append(['"old"']);
    fail('write', { code: 'ENOSPC' });

    await expect(spool.append(['"rejected"'])).rejects.toMatchObject({ code: 'ENOSPC' });

    expect(await textsIfItDied()).toEqual(['"old"']);
    expect(await spool.append(['"new"'])).toBe(2);
    expect(await segmentsIn(folder)).toEqual(['0000000000000001.spool']);
    expect(await textsOf(spool)).toEqual(['"old"', '"new"']);
  });

  it('keeps cursors that were not written, and writes them later', async () => {
    const spool = await openSpool(folder);
    await spool.append(['1', '2']);
    spool.setCursor('pubsub', 2);
    fail('write');

    await expect(spool.sync()).rejects.toMatchObject({ code: 'EIO' });

    expect(spool.cursor('pubsub')).toBe(2);
    await spool.sync();
    await spool.close();
    expect((await openSpool(folder)).cursor('pubsub')).toBe(2);
  });

  it('reads around what the disk cannot read', async () => {
    const texts = Array.from({ length: 200 }, (_, place) => `"${place}${'x'.repeat(900)}"`);
    const spool = await openSpool(folder);
    await spool.append(texts);
    const { read } = handles;
    vi.spyOn(handles, 'read').mockImplementation(async function (this: FileHandle, ...args) {
      const [, , length, position] = args;
      const isBad = Number(position) < 90_000 && Number(position) + Number(length) > 88_000;
      if (isBad) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return read.apply(this, args);
    });

    const found = await textsOf(spool);

    expect(found.length).toBeGreaterThan(190);
    expect(found.length).toBeLessThan(199);
    expect(texts).toEqual(expect.arrayContaining(found));
    expect(spool.unreadable).toBe(1);
    await spool.close();
    const again = await openSpool(folder);
    expect(await textsOf(again)).toEqual(found);
    expect(again.damage?.missing).toBe(200 - found.length);
  });
});
