import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { StorageUnavailable } from '../files/storage-errors.ts';
import { anyCharacter } from '../testing/any-character.ts';
import { countRounds } from '../testing/fault-injection.ts';
import { openSpool, segmentsIn } from '../testing/spools.ts';
import { Spool } from './spool.ts';

const kills = countRounds();

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await tempDir();
  folder = join(parent, 'spool');
});

async function readAll(spool: Spool, from = 1): Promise<[number, string][]> {
  const records: [number, string][] = [];
  for await (const { seq, text } of spool.read(from)) records.push([seq, text]);
  return records;
}

describe('Spool', () => {
  it('keeps records, in order, over a restart', async () => {
    const first = await openSpool(folder);
    expect(await first.append(['"a"', '"grüezi"'])).toBe(1);
    expect(await first.append([])).toBe(3);
    expect(await first.append(['{"b":1}'])).toBe(3);
    await first.close();

    const second = await openSpool(folder);

    const all = [
      [1, '"a"'],
      [2, '"grüezi"'],
      [3, '{"b":1}'],
    ];
    expect(await readAll(second)).toEqual(all);
    expect(await readAll(second, 3)).toEqual(all.slice(2));
    expect(await readAll(second, 4)).toEqual([]);
    expect([second.first, second.next]).toEqual([1, 4]);
    expect([second.damage, second.tornBytes, second.unreadable]).toEqual([undefined, 0, 0]);
  });

  it('is for its owner only, and readable by people', async () => {
    const spool = await openSpool(folder);
    spool.setCursor('pubsub', 1);
    await spool.append(['{"alertname":"Late"}']);

    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const [name = ''] = await segmentsIn(folder);
    expect(name).toBe('0000000000000001.spool');
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(folder, name), 'utf8')).split('\n')).toEqual([
      '1abfddde - {"segment":1,"first":1,"next":1,"cursors":{"pubsub":1}}',
      'a28f102f 1 {"alertname":"Late"}',
      '',
    ]);
    expect(spool.bytes).toBe((await stat(join(folder, name))).size);
  });

  it('begins segments when they are full, and deletes those that are done', async () => {
    const spool = await openSpool(folder, { segmentBytes: 1000 });
    for (let count = 0; count < 30; count += 1) await spool.append([`"${'x'.repeat(100)}"`]);
    spool.setCursor('pubsub', 15);
    const before = await segmentsIn(folder);

    await spool.trim(15);

    const after = await segmentsIn(folder);
    expect(before.length).toBeGreaterThan(3);
    expect(after).toEqual(before.slice(-after.length));
    expect(Number.parseInt(after[0] ?? '', 10)).toBeLessThanOrEqual(15);
    expect(Number.parseInt(after[1] ?? '', 10)).toBeGreaterThan(15);
    expect(spool.first).toBe(Number.parseInt(after[0] ?? '', 10));
    expect((await readAll(spool)).map(([seq]) => seq)).toEqual(
      Array.from({ length: 31 - spool.first }, (_, place) => spool.first + place),
    );
  });

  it('never gives a sequence number twice, also when all is done and it was closed', async () => {
    const options = { segmentBytes: 1000 };
    let spool = await openSpool(folder, options);
    for (let round = 0; round < 3; round += 1) {
      const seq = await spool.append(Array.from({ length: 20 }, () => `"${'x'.repeat(100)}"`));
      expect(seq).toBe(1 + round * 20);
      await spool.trim(spool.next);
      expect(await readAll(spool)).toEqual([]);
      expect([spool.first, spool.next]).toEqual([seq + 20, seq + 20]);
      expect(await segmentsIn(folder)).toHaveLength(1);
      await spool.close();
      spool = await openSpool(folder, options);
      expect([spool.first, spool.next, spool.damage]).toEqual([seq + 20, seq + 20, undefined]);
    }
  });

  it('keeps a small newest segment, of which all is done', async () => {
    const spool = await openSpool(folder);
    await spool.append(['1', '2']);

    await spool.trim(3);

    expect(await readAll(spool)).toEqual([
      [1, '1'],
      [2, '2'],
    ]);
  });

  it('gives a reader the records that are appended while it reads', async () => {
    const spool = await openSpool(folder, { segmentBytes: 2000 });
    await spool.append(['0']);
    const seen: number[] = [];
    for await (const { seq } of spool.read(1)) {
      seen.push(seq);
      if (seq < 100) await spool.append([`"${'x'.repeat(seq)}"`]);
    }

    expect(seen).toEqual(Array.from({ length: 100 }, (_, place) => place + 1));
  });

  it('continues to read when the next records of a reader are trimmed', async () => {
    const spool = await openSpool(folder, { segmentBytes: 1000 });
    await Promise.all(
      Array.from({ length: 40 }, (_, place) => spool.append([`"${place}${'x'.repeat(400)}"`])),
    );
    const reader = spool.read(1);
    expect((await reader.next()).value).toMatchObject({ seq: 1 });

    await spool.trim(30);
    const rest: number[] = [];
    for await (const { seq } of reader) rest.push(seq);

    expect(rest.at(-1)).toBe(40);
    expect(rest).toEqual(rest.toSorted((one, other) => one - other));
    expect(rest).toEqual(expect.arrayContaining([30, 31, 39]));
    expect(spool.unreadable).toBe(0);
  });

  it('wakes waiting readers when records were appended', async () => {
    const spool = await openSpool(folder);
    const woken: string[] = [];
    const waits = [
      spool.changed(1).then(() => woken.push('1')),
      spool.changed(2).then(() => woken.push('2')),
    ];

    await spool.append(['1']);
    await waits[0];
    expect(woken).toEqual(['1']);
    await spool.append(['2']);
    await Promise.all(waits);
    await spool.changed(2);
    expect(woken).toEqual(['1', '2']);
  });

  it('lets who waits give up', async () => {
    const spool = await openSpool(folder);
    const ending = new AbortController();
    const waits = [spool.changed(1, ending.signal), spool.changed(1)];

    ending.abort(new Error('no longer'));
    await expect(waits[0]).rejects.toThrow('no longer');
    await expect(spool.changed(1, ending.signal)).rejects.toThrow('no longer');
    const closed = expect(waits[1]).rejects.toMatchObject({ code: 'CLOSED' });
    await spool.close();
    await closed;
  });

  it('has cursors that are durable with what is written next', async () => {
    const first = await openSpool(folder);
    first.setCursor('pubsub', 3);
    first.setCursor('file', 1);
    first.setCursor('__proto__', 1);
    expect(await segmentsIn(folder)).toEqual([]);
    await first.append(['1', '2']);
    first.removeCursor('file');
    first.setCursor('pubsub', 2);
    await first.sync();
    const { bytes } = first;
    await first.sync();
    expect(first.bytes).toBe(bytes);
    await first.close();

    const second = await openSpool(folder);
    expect([...second.cursors()]).toEqual([
      ['pubsub', 2],
      ['__proto__', 1],
    ]);
    expect(second.cursor('file')).toBeUndefined();
    second.setCursor('pubsub', 3);
    await second.close();

    expect((await openSpool(folder)).cursor('pubsub')).toBe(3);
  });

  it('gives cursors within the existing records', async () => {
    const spool = await openSpool(folder, { segmentBytes: 100 });
    spool.setCursor('early', 1);
    spool.setCursor('late', 1);
    await Promise.all(['1', '2', '3'].map((text) => spool.append([`"${text.repeat(90)}"`])));
    for (let count = 0; count < 5; count += 1) await spool.append([`"${'x'.repeat(90)}"`]);
    spool.setCursor('late', 1000);
    await spool.trim(6);

    expect([spool.cursor('early'), spool.first]).toEqual([6, 6]);
    expect(spool.cursor('late')).toBe(9);
    expect([...spool.cursors()]).toEqual([
      ['early', 6],
      ['late', 9],
    ]);
    await spool.append(['"not passed over"']);
    expect(spool.cursor('late')).toBe(9);
    expect(() => spool.setCursor('none', 0)).toThrow('0 is not a sequence number');
  });

  it('rejects text that would not be one line', async () => {
    const spool = await openSpool(folder);

    await expect(spool.append(['"good"', '"\n"'])).rejects.toThrow(TypeError);
    await expect(spool.append(['x'.repeat(16 * 1024 * 1024 + 1)])).rejects.toThrow(TypeError);

    expect(await readAll(spool)).toEqual([]);
    expect(await spool.append(['x'.repeat(16 * 1024 * 1024)])).toBe(1);
    expect((await readAll(spool))[0]?.[1]).toHaveLength(16 * 1024 * 1024);
  });

  it('finishes waiting appends when it is closed, and takes no more', async () => {
    const spool = await openSpool(folder);
    const waiting = Promise.all([spool.append(['1']), spool.append(['2'])]);
    await spool.close();

    expect(await waiting).toEqual([1, 2]);
    await expect(spool.append(['3'])).rejects.toThrow(StorageUnavailable);
    await expect(spool.append(['3'])).rejects.toMatchObject({
      code: 'CLOSED',
      message: `${folder}: not written: it is closed (CLOSED)`,
    });
    await expect(spool.read(1).next()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await readAll(await openSpool(folder))).toHaveLength(2);
  });

  it('is one process’s', async () => {
    const spool = await openSpool(folder);

    await expect(Spool.open(folder)).rejects.toMatchObject({
      code: 'LOCKED',
      message: `${folder}: not opened: another process is already using the directory (LOCKED)`,
    });

    expect(await spool.append(['1'])).toBe(1);
    await spool.close();
    await openSpool(folder);
  });

  it('names the reason where it cannot be opened', async () => {
    await writeFile(folder, 'a file');

    await expect(Spool.open(folder)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it(`behaves like an array, whatever is done with it`, async () => {
    const text = fc.oneof(
      fc.json(),
      fc.string({ unit: anyCharacter, maxLength: 300 }).map((value) => JSON.stringify(value)),
    );
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ append: fc.array(fc.array(text), { maxLength: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ cursor: fc.nat(60), name: fc.constantFrom('a', 'b') }) },
      { weight: 1, arbitrary: fc.record({ trim: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ read: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.constantFrom('reopen' as const, 'sync' as const) },
    );
    const steps = fc.array(step, { maxLength: 20 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 3000 }), async (all, segmentBytes) => {
        run += 1;
        const place = join(parent, `run-${run}`);
        let spool = await Spool.open(place, { segmentBytes });
        const model: string[] = [];
        const cursors = new Map<string, number>();
        let trimmed = 1;
        try {
          for (const one of all) {
            if (one === 'sync') await spool.sync();
            else if (one === 'reopen') {
              await spool.close();
              spool = await Spool.open(place, { segmentBytes });
              expect([spool.damage, spool.tornBytes]).toEqual([undefined, 0]);
            } else if ('append' in one) {
              const firsts = await Promise.all(one.append.map((texts) => spool.append(texts)));
              for (const [position, texts] of one.append.entries()) {
                expect(firsts[position]).toBe(model.length + 1);
                model.push(...texts);
              }
            } else if ('cursor' in one) {
              const seq = Math.min(one.cursor + 1, spool.next);
              spool.setCursor(one.name, seq);
              cursors.set(one.name, seq);
            } else if ('trim' in one) {
              await spool.trim(one.trim);
              trimmed = Math.max(trimmed, Math.min(one.trim, spool.next));
            }
            expect(spool.next).toBe(model.length + 1);
            expect(spool.first).toBeLessThanOrEqual(trimmed);
            const from = typeof one === 'object' && 'read' in one ? one.read : 1;
            const expected = model
              .map((value, position): [number, string] => [position + 1, value])
              .filter(([seq]) => seq >= Math.max(from, spool.first));
            expect(await readAll(spool, from)).toEqual(expected);
            for (const [name, seq] of cursors) {
              expect(spool.cursor(name)).toBe(Math.max(seq, spool.first));
            }
          }
          expect(spool.unreadable).toBe(0);
        } finally {
          await spool.close();
          await rm(place, { recursive: true });
        }
      }),
      { numRuns: kills, seed: testSeed() },
    );
  });
});
