import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeadLetter } from '@skolo/api';
import { countRounds, killAfter, startWriter } from '@skolo/base/durable/fault-injection';
import { mountSmall, run, runs, tempDir, testSeed } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadLetters } from './dead-letters.ts';

const newer = 'dead-letters.jsonl';
const older = 'dead-letters.1.jsonl';

async function open(maxBytes = 10_000) {
  const folder = join(await tempDir(), 'state', 'letters');
  const bound = { maxBytes };
  const letters = new DeadLetters(folder, () => bound.maxBytes);
  const found = async (limit = 1000) => (await letters.list({ limit })).map(({ why }) => why);
  return { folder, letters, bound, found };
}

function letter(why: string, found: unknown = null): DeadLetter {
  return { at: '2026-11-20T08:00:00.000Z', from: 'webhook', why, found };
}

describe('dead letters', () => {
  const odd: unknown = JSON.parse('{"__proto__":{"a":1},"nul":"\\u0000","half":"\\ud800"}');
  const anyLetter = fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.oneof(fc.jsonValue(), fc.constant(odd)))
    .map(([why, found]) => letter(why, found));

  it('are the same after a restart, the newest first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyLetter, { maxLength: 3 })), async (batches) => {
        const { letters, folder } = await open(1_000_000);
        for (const batch of batches) await letters.add(batch);
        const all = batches.flat().reverse();

        const next = new DeadLetters(folder, () => 1_000_000);

        expect(JSON.stringify(await next.list({ limit: 100 }))).toBe(JSON.stringify(all));
        expect(await next.list({ limit: 2 })).toHaveLength(Math.min(2, all.length));
        expect([letters.count, next.count]).toEqual([all.length, 0]);
      }),
      runs(50),
    );
  });

  it('are none before the first', async () => {
    const { letters, found, folder } = await open();

    await letters.add([]);

    expect([await found(), letters.count, letters.bytes]).toEqual([[], 0, 0]);
    await expect(stat(folder)).rejects.toThrow(/ENOENT/);
  });

  it('are readable by no other user', async () => {
    const { letters, folder } = await open();

    await letters.add([letter('1')]);

    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, newer))).mode & 0o777).toBe(0o600);
  });

  it('stay within the bound, and the newest half at least is there', async () => {
    const { letters, found, folder } = await open(10_000);

    for (let number = 0; number < 200; number += 1) {
      await letters.add([letter(String(number), 'x'.repeat(200))]);
      expect(letters.bytes).toBeLessThanOrEqual(10_000);
    }

    const whys = await found();
    expect(whys.length).toBeGreaterThan(15);
    expect(whys).toEqual(whys.map((_why, index) => String(199 - index)));
    expect((await readdir(folder)).sort()).toEqual([older, newer].sort());
  });

  it('of more than that at once are the last', async () => {
    const { letters, found } = await open(10_000);
    await letters.add([letter('before')]);

    await letters.add(Array.from({ length: 500 }, (_, i) => letter(String(i), 'x'.repeat(100))));

    expect((await found()).slice(0, 3)).toEqual(['499', '498', '497']);
    expect((await found()).at(-1)).toBe('before');
    expect(letters.bytes).toBeLessThanOrEqual(10_000);
  });

  it('are cut where one is large', async () => {
    const { letters } = await open(10 * 2 ** 20);
    const large = { text: '"ü'.repeat(10 * 2 ** 20) };

    await letters.add([letter('why '.repeat(100_000), large)]);

    const [found] = await letters.list({ limit: 1 });
    expect(found?.found).toMatch(/^{"text":"\\"ü\\"ü.*…$/);
    expect(letters.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(letters.bytes).toBeGreaterThan(40 * 1024);
  });

  it.each([0, 10, 100, 300])('may be bounded to %i bytes', async (maxBytes) => {
    const { letters } = await open(maxBytes);

    for (let number = 0; number < 5; number += 1) {
      await letters.add([letter(String(number), 'x'.repeat(1000))]);
    }

    expect(letters.bytes).toBeLessThanOrEqual(maxBytes);
    expect(letters.count).toBe(5);
  });

  it('obey a bound that becomes smaller', async () => {
    const { letters, bound, found } = await open(100_000);
    const many = Array.from({ length: 200 }, (_, i) => letter(String(i), 'x'.repeat(200)));
    await letters.add(many);
    await letters.add(many);

    bound.maxBytes = 5000;
    await letters.add([letter('last')]);

    expect(letters.bytes).toBeLessThanOrEqual(5000);
    expect((await found())[0]).toBe('last');
  });

  it('share a sync where they come together', async () => {
    const { letters, found } = await open(1_000_000);

    await Promise.all(Array.from({ length: 100 }, (_, i) => letters.add([letter(String(i))])));

    expect(await found(3)).toEqual(['99', '98', '97']);
    expect((await found()).length).toBe(100);
  });

  it('are listed while others come', async () => {
    const { letters } = await open(20_000);
    let adding = true;
    const added = (async () => {
      for (let number = 0; number < 100; number += 1) {
        await letters.add([letter(String(number), 'x'.repeat(300))]);
      }
      adding = false;
    })();

    while (adding) {
      const numbers = (await letters.list({ limit: 1000 })).map(({ why }) => Number(why));
      expect(numbers).toEqual(numbers.map((_n, index) => (numbers[0] ?? 0) - index));
    }
    await added;
  });
});

it.each(['{"at":"2026-11', '\0\0\0', 'x'.repeat(3_000_000), '{"at":1}\n\n\n[]\n{'])(
  'a line that is not whole costs nothing else: %#',
  async (torn) => {
    const { letters, folder, found } = await open(10_000_000);
    await letters.add([letter('1')]);
    await appendFile(join(folder, newer), torn);

    await letters.add([letter('2')]);

    expect((await found()).slice(0, 1)).toEqual(['2']);
    expect((await readFile(join(folder, newer), 'utf8')).split('\n').at(-2)).toContain('"2"');
    if (torn.length < 1000) expect(await found()).toEqual(['2', '1']);
  },
);

describe('a disk that does not take it', () => {
  it('is reported with what to do, and the next letter is kept', async () => {
    const { letters, folder, found } = await open();
    await mkdir(folder, { recursive: true });
    await symlink('/dev/full', join(folder, newer));

    await expect(letters.add([letter('1')])).rejects.toThrow(
      /dead-letters\.jsonl: not written: the disk is full \(ENOSPC\)/,
    );
    expect(letters.count).toBe(0);
    await rm(join(folder, newer));
    await letters.add([letter('2')]);

    expect(await found()).toEqual(['2']);
  });

  it('that fills up keeps no part of a rejected letter', async (context) => {
    const disk = await tempDir();
    await mountSmall(context, disk, 'size=64k');
    const letters = new DeadLetters(join(disk, 'letters'), () => 1_000_000);
    const kept: string[] = [];
    let rejected = 0;

    for (let number = 0; rejected < 3; number += 1) {
      await letters.add([letter(String(number), 'x'.repeat(7000))]).then(
        () => kept.unshift(String(number)),
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'ENOSPC' });
          rejected += 1;
        },
      );
    }

    expect(kept.length).toBeGreaterThan(3);
    expect((await letters.list({ limit: 100 })).map(({ why }) => why)).toEqual(kept);
  });

  it('is reported where the folder is a file', async () => {
    const { letters, folder } = await open();
    await mkdir(dirname(folder), { recursive: true });
    await writeFile(folder, '');
    await chmod(folder, 0o600);

    await expect(letters.add([letter('1')])).rejects.toThrow(/not written: .*\((EEXIST|ENOTDIR)\)/);
  });
});

/** Few, as the writer takes long to start. */
const kills = countRounds(1);

const writer = fileURLToPath(new URL('../testing/dead-letters-writer.ts', import.meta.url));

describe('another process', () => {
  it(`that is killed at ${kills} moments loses none that was kept`, async () => {
    console.log(`dead letters: ${kills} kills`);
    const moments = fc.sample(fc.nat(40), { numRuns: kills, seed: testSeed() });
    const folder = await tempDir();
    const maxBytes = 200_000;
    let next = 0;

    for (const moment of moments) {
      const lines = await killAfter(
        startWriter(writer, folder, String(maxBytes), String(next)),
        moment,
      );
      const last = Number(lines.at(-1));

      const letters = new DeadLetters(folder, () => maxBytes);
      const numbers = (await letters.list({ limit: 100_000 })).map(({ why }) => Number(why));

      // Some that were not acknowledged may be there, too.
      expect(numbers[0]).toBeGreaterThanOrEqual(last);
      expect(numbers).toContain(last);
      const sorted = [...new Set(numbers)].sort((a, b) => b - a);
      expect(numbers).toEqual(sorted);
      expect(sorted).toEqual(sorted.map((_n, index) => (sorted[0] ?? 0) - index));
      expect(letters.bytes).toBeLessThanOrEqual(maxBytes);
      next = (numbers[0] ?? 0) + 1;
    }
  });

  // A kill does not lose what the kernel holds, so the system calls are looked at.
  it('has synced a letter, and its name, before it is kept', async ({ skip }) => {
    const program = peer('strace');
    if (program === undefined) return skip('strace is not installed');
    const dir = await tempDir();
    const log = join(dir, 'calls');
    await run(program, ['-qq', '-o', log, 'true']).catch(() => skip('may not trace here'));

    const options = ['-f', '-qq', '-y', '-e', 'trace=write,fsync,fdatasync', '-o', log];
    const letters = join(dir, 'letters');
    await run(program, [...options, process.execPath, writer, letters, '100000', '1', '4']);

    const calls = (await readFile(log, 'utf8')).split('\n');
    const steps = [
      /write\(\d+<.*dead-letters\.jsonl>/,
      /fdatasync\(\d+<.*dead-letters\.jsonl>/,
      /fsync\(\d+<.*letters>/,
      /write\(1<.*"1\\n2\\n3/,
    ].map((step) => calls.findIndex((call) => step.test(call)));
    expect(steps[0]).toBeGreaterThan(0);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });
});
