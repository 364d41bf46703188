import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { countRounds, seeded } from '../testing/fault-injection.ts';
import { flip } from '../testing/flip.ts';
import { segmentsIn } from '../testing/spools.ts';
import { encodeLines } from './line.ts';
import { Spool } from './spool.ts';

const kills = countRounds();

/** Records 1 to 300 in segments of some thirty; up to 40 trimmed; cursors on the way. */
const segmentBytes = 4000;
const count = 300;
const texts = new Map<number, string>();
const original = await tempDir(afterAll);
let firstKept: number;
let folder: string;
let names: string[];

beforeAll(async () => {
  const random = seeded(4711);
  const spool = await Spool.open(join(original, 'spool'), { segmentBytes });
  for (let seq = 1; seq <= count; seq += 1) {
    const text = JSON.stringify({ seq, filling: 'f'.repeat(random() * 200), J: '***' });
    texts.set(seq, text);
    if (seq % 7 === 0) spool.setCursor('pubsub', seq - 5);
    await spool.append([text]);
  }
  await spool.trim(40);
  firstKept = spool.first;
  await spool.close();
});

beforeEach(async () => {
  folder = join(await tempDir(), 'spool');
  await cp(join(original, 'spool'), folder, { recursive: true });
  names = await segmentsIn(folder);
});

/** Opens it, looks at each record, appends one, and opens it again. */
async function look() {
  const spool = await Spool.open(folder, { segmentBytes });
  const seen: number[] = [];
  try {
    let last = 0;
    for await (const { seq, text } of spool.read(1)) {
      expect(seq).toBeGreaterThan(last);
      expect(text).toBe(texts.get(seq));
      seen.push(seq);
      last = seq;
    }
    const { damage, tornBytes, next, unreadable } = spool;
    expect(unreadable).toBe(0);
    expect(next).toBeGreaterThan(last);
    const cursor = spool.cursor('pubsub') ?? 0;
    expect(cursor).toBeLessThanOrEqual(Math.max(count - 5, spool.first));
    const added = await spool.append(['"later"']);
    expect(added).toBe(next);
    await spool.close();

    const again = await Spool.open(folder, { segmentBytes });
    const found: [number, string][] = [];
    for await (const { seq, text } of again.read(1)) found.push([seq, text]);
    const expected = [...seen.map((seq) => [seq, texts.get(seq)]), [added, '"later"']];
    expect(found).toEqual(expected);
    expect(again.tornBytes).toBe(0);
    await again.close();
    return { damage, tornBytes, next, seen, cursor };
  } finally {
    await spool.close();
  }
}

function missingOf(seen: number[]): number {
  return count + 1 - firstKept - seen.length;
}

function at(position: number): string {
  return join(folder, names.at(position) ?? 'none');
}

/** The line of that record: in which file it is, where it begins, and where its newline is. */
async function lineOf(seq: number) {
  for (const name of names) {
    const path = join(folder, name);
    const bytes = await readFile(path);
    const found = bytes.indexOf(` ${seq} {`);
    if (found >= 0) return { path, bytes, start: found - 8, newline: bytes.indexOf(10, found) };
  }
  throw new Error(`no record ${seq}`);
}

/** Those with a newline. */
function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\n').slice(0, -1);
}

describe('a damaged spool', () => {
  it('is whole before it is damaged', async () => {
    const { damage, tornBytes, next, seen, cursor } = await look();

    expect([damage, tornBytes, next, cursor]).toEqual([undefined, 0, count + 1, 289]);
    expect([seen[0], seen.length]).toEqual([firstKept, count + 1 - firstKept]);
    expect(firstKept).toBeGreaterThan(1);
  });

  it('loses one record to a flipped bit, and keeps its bytes', async () => {
    const { path, bytes, start, newline } = await lineOf(110);
    const line = bytes.subarray(start, newline + 1);
    await flip(path, start + 30);
    line[30] = (line[30] ?? 0) ^ 1;

    const { damage, seen } = await look();

    const kept = `${path}.damaged`;
    expect(damage).toEqual({ lines: 1, missing: 1, bytes: line.length, kept: [kept] });
    expect(missingOf(seen)).toBe(1);
    expect(seen).not.toContain(110);
    expect(await readFile(kept)).toEqual(line);
  });

  it('loses nothing to a damaged newline', async () => {
    const { path, newline } = await lineOf(110);
    await flip(path, newline, 3);

    const { damage, seen } = await look();

    expect(damage).toMatchObject({ lines: 1, missing: 0, bytes: 1 });
    expect(missingOf(seen)).toBe(0);
  });

  it('does not take text inside a record for a record', async () => {
    await rm(folder, { recursive: true });
    const first = await Spool.open(folder, { segmentBytes });
    const lines = [encodeLines([], 9, ['x']), encodeLines([], 2, ['"x', '"x"}'])];
    const label = Buffer.concat(lines).toString().replaceAll('\n', '-');
    await first.append([JSON.stringify({ label })]);
    await first.append(['"whole"']);
    await first.close();
    const path = join(folder, '0000000000000001.spool');
    await flip(path, (await readFile(path)).indexOf('label'));

    const spool = await Spool.open(folder, { segmentBytes });

    expect(spool.damage).toMatchObject({ lines: 1, missing: 1 });
    const found: unknown[] = [];
    for await (const record of spool.read(1)) found.push(record);
    expect(found).toEqual([{ seq: 2, text: '"whole"' }]);
    await spool.close();
  });

  it('loses nothing to a damaged newline at the very end', async () => {
    await flip(at(-1), (await stat(at(-1))).size - 1, 3);

    const { damage, tornBytes, seen } = await look();

    expect([damage, tornBytes]).toEqual([undefined, 1]);
    expect(missingOf(seen)).toBe(0);
  });

  it('loses one record to a newline that should not be there', async () => {
    const { path, bytes, start } = await lineOf(110);
    // 'J' with one bit flipped.
    await flip(path, bytes.indexOf('J', start), 6);

    const { damage, seen } = await look();

    expect(damage).toMatchObject({ lines: 2, missing: 1 });
    expect(missingOf(seen)).toBe(1);
  });

  it('goes back to older cursors when the last ones are damaged', async () => {
    const bytes = await readFile(at(-1));
    const text = '"pubsub":289';
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at)) bytes[at] = 42;
    await writeFile(at(-1), bytes);

    const { damage, seen, cursor } = await look();

    expect(damage?.lines).toBeGreaterThan(0);
    expect(missingOf(seen)).toBe(0);
    expect(cursor).toBe(282);
  });

  it('loses nothing when the first line of a segment is damaged', async () => {
    for (const name of names) await flip(join(folder, name), 20);

    const { damage, seen } = await look();

    expect(damage).toMatchObject({ lines: names.length, missing: 0 });
    expect(missingOf(seen)).toBe(0);
  });

  it('has the rest when the newest segment lost its end', async () => {
    const { start, newline } = await lineOf(count);
    await truncate(at(-1), newline - 5);

    const { tornBytes, next, seen } = await look();

    expect([tornBytes, next, seen.at(-1)]).toEqual([newline - 5 - start, count, count - 1]);
  });

  it('reports what is missing when another segment lost its end', async () => {
    await truncate(at(2), 2000);

    const { damage, seen } = await look();

    expect(damage?.missing).toBe(missingOf(seen));
    expect(damage?.missing).toBeGreaterThan(1);
    expect(damage?.lines).toBe(1);
  });

  it.each([
    { title: 'the first segment', position: 0 },
    { title: 'a segment in the middle', position: 3 },
  ])('reports what is missing when $title has vanished', async ({ position }) => {
    await rm(at(position));

    const { damage, next, seen } = await look();

    expect(damage).toMatchObject({ lines: 0, missing: missingOf(seen), kept: [] });
    expect(damage?.missing).toBeGreaterThan(10);
    expect(next).toBe(count + 1);
  });

  it('has the rest when the newest segment has vanished', async () => {
    await rm(at(-1));

    const { next, seen } = await look();

    expect(next).toBe(Number.parseInt(names.at(-1) ?? '', 10));
    expect(seen.at(-1)).toBe(next - 1);
  });

  it('does not go back when all that is left is one empty file', async () => {
    for (const name of names.slice(0, -1)) await rm(join(folder, name));
    await truncate(at(-1), 0);

    const { next, seen } = await look();

    expect(next).toBe(Number.parseInt(names.at(-1) ?? '', 10));
    expect(seen).toEqual([]);
  });

  it('puts a segment without a whole line aside', async () => {
    const { size } = await stat(at(1));
    await writeFile(at(1), Buffer.alloc(size));

    const { damage, seen } = await look();

    const missing = missingOf(seen);
    expect(damage).toEqual({ lines: 1, missing, bytes: size, kept: [`${at(1)}.damaged`] });
    expect(missing).toBeGreaterThan(10);
    expect((await stat(`${at(1)}.damaged`)).size).toBe(size);
  });

  it('does not care for names', async () => {
    await rename(at(1), join(folder, 'moved'));
    await rename(at(-1), at(1));
    await rename(join(folder, 'moved'), at(-1));
    await rename(at(2), join(folder, '9000000000000000.spool'));

    const { damage, next, seen } = await look();

    expect([damage, next, missingOf(seen)]).toEqual([undefined, count + 1, 0]);
  });

  it('takes copies for what they are', async () => {
    await copyFile(at(1), join(folder, '0000000000000900.spool'));
    await copyFile(at(-1), join(folder, '0000000000000901.spool'));
    await truncate(join(folder, '0000000000000900.spool'), 1500);

    const { damage, next, seen } = await look();

    expect([next, missingOf(seen)]).toEqual([count + 1, 0]);
    expect(damage?.missing ?? 0).toBe(0);
  });

  it('leaves files of others alone', async () => {
    await writeFile(join(folder, 'notes.txt'), 'not ours');
    await writeFile(join(folder, '17.spool'), 'not ours');
    await writeFile(join(folder, '8999999999999999.spool'), 'not ours');
    await mkdir(join(folder, '0000000000000001.spool'));

    const { damage, next, seen } = await look();

    expect([damage, missingOf(seen), next]).toEqual([undefined, 0, count + 1]);
    const found = (await readdir(folder)).filter((name) => /^(notes|17|8999)/.test(name)).sort();
    expect(found).toEqual(['17.spool', '8999999999999999.spool.damaged', 'notes.txt']);
    for (const name of found) expect(await readFile(join(folder, name), 'utf8')).toBe('not ours');
  });

  it('opens when the files of its lock are damaged', async () => {
    for (const name of await readdir(join(folder, 'lock'))) {
      await writeFile(join(folder, 'lock', name), 'damaged');
    }

    const { damage, seen } = await look();

    expect([damage, missingOf(seen)]).toEqual([undefined, 0]);
  });

  it('counts records that became unreadable later once, when a reader meets them', async () => {
    const spool = await Spool.open(folder, { segmentBytes });
    try {
      const { path, start } = await lineOf(110);
      await flip(path, start + 30);
      await truncate(at(4), 2000);
      await rm(at(5));
      const seen: number[] = [];
      for await (const { seq } of spool.read(1)) seen.push(seq);
      for await (const { seq } of spool.read(90)) expect(seen).toContain(seq);

      expect(seen).not.toContain(110);
      expect(seen.at(-1)).toBe(count);
      // The line that was cut in two counts as damaged, and as missing.
      expect(spool.unreadable).toBe(spool.next - spool.first - seen.length + 1);
    } finally {
      await spool.close();
    }
  });

  it('does not report damage any more after it was trimmed', async () => {
    await flip(at(-1), 300);
    let spool = await Spool.open(folder);
    expect(spool.damage).toMatchObject({ lines: 1 });

    await spool.trim(spool.next);

    await spool.close();
    spool = await Spool.open(folder);
    expect([spool.damage, spool.first, spool.next]).toEqual([undefined, count + 1, count + 1]);
    await spool.close();
  });

  it('keeps a bounded number of damaged bytes', async () => {
    for (let file = 0; file < 30; file += 1) {
      await writeFile(join(folder, `${String(1000 + file).padStart(16, '0')}.spool`), 'x\n');
    }
    await appendFile(at(0), Buffer.alloc(3 * 1024 * 1024, 'garbage\n'));

    await look();

    const kept = (await readdir(folder)).filter((name) => name.endsWith('.damaged'));
    expect(kept).toHaveLength(20);
  });

  it(`has every whole record, and no other, after each of ${kills} random damages`, async () => {
    console.log(`damage to a spool: ${kills} times`);
    const random = seeded(testSeed());
    const pick = (below: number) => Math.floor(random() * below);
    for (let round = 0; round < kills; round += 1) {
      await rm(folder, { recursive: true });
      await cp(join(original, 'spool'), folder, { recursive: true });
      await cp(join(original, 'spool.mark'), `${folder}.mark`);
      const intact = new Set(texts.keys());
      for (let number = 1 + pick(3); number > 0; number -= 1) {
        const path = join(folder, names[pick(names.length)] ?? '');
        const before = await readFile(path).catch(() => undefined);
        if (!before || before.length === 0) continue;
        const after = Buffer.from(before);
        const place = pick(before.length);
        const kind = pick(6);
        if (kind <= 2) after.writeUInt8(after.readUInt8(place) ^ (1 << pick(8)), place);
        if (kind === 3) after.fill(pick(256), place, Math.min(before.length, place + pick(3000)));
        await (kind === 4 ? rm(path) : writeFile(path, after));
        if (kind === 5) await truncate(path, place);
        const left = kind === 4 ? [] : linesOf(await readFile(path));
        const lost = linesOf(before).filter((line) => !left.includes(line));
        for (const line of lost) intact.delete(Number(line.split(' ')[1]));
      }

      const { damage, seen, next } = await look();

      for (const seq of intact) if (seq >= firstKept) expect(seen).toContain(seq);
      expect([next, damage?.missing ?? 0]).toEqual([count + 1, missingOf(seen)]);
    }
  });
});
