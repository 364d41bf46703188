import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause } from '@skolo/base';
import { tempDir } from '@skolo/base/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { countRounds, seeded } from '../testing/fault-injection.ts';
import { flip } from '../testing/flip.ts';
import { Journal } from './journal.ts';

const kills = countRounds();

let parent: string;
let folder: string;
const original = await tempDir(afterAll);
/** What the original holds, and each value that each key ever had. */
const content = new Map<string, unknown>();
const values = new Map<string, Set<string>>();

beforeAll(async () => {
  const random = seeded(4711);
  // There is a snapshot of it, and changes since.
  for (let start = 0; start < 4; start += 1) {
    const journal = await Journal.open(join(original, 'journal'));
    const written: Promise<void>[] = [];
    for (let change = 0; change < 150; change += 1) {
      const put = Object.fromEntries(
        Array.from({ length: 3 }, (_, position): [string, unknown] => [
          `cycle/${Math.floor(random() * 200)}`,
          { start, change, position, filling: 'f'.repeat(random() * 2000) },
        ]),
      );
      const deleted = `cycle/${Math.floor(random() * 200)}`;
      written.push(journal.write({ put, delete: [deleted] }));
      if (change % 15 === 0) await Promise.all(written.splice(0));
      content.delete(deleted);
      for (const [key, value] of Object.entries(put)) {
        content.set(key, value);
        values.set(key, (values.get(key) ?? new Set()).add(JSON.stringify(value)));
      }
    }
    await Promise.all(written);
    await journal.close();
  }
});

beforeEach(async () => {
  parent = await tempDir();
  folder = join(parent, 'journal');
  await cp(join(original, 'journal'), folder, { recursive: true });
});

const copyMark = () => cp(join(original, 'journal.mark'), `${folder}.mark`);

async function read(): Promise<{ recovered: string | undefined; records: Map<string, unknown> }> {
  const journal = await Journal.open(folder);
  try {
    const records = new Map(journal.entries());
    await journal.write({ put: { 'written/later': true } });
    return { recovered: journal.recovered, records };
  } finally {
    await journal.close();
  }
}

const files = async () => (await readdir(folder)).filter((name) => name !== 'lock');

const snapshot = () => join(folder, 'snapshot');

async function segment(): Promise<string> {
  const name = (await readdir(folder)).find((each) => each.endsWith('.spool'));
  if (name === undefined) throw new Error(`no segment in ${folder}`);
  return join(folder, name);
}

/** Where the line begins in which half of the file ends. */
async function middleOf(path: string): Promise<number> {
  const bytes = await readFile(path);
  return bytes.lastIndexOf(10, bytes.length / 2) + 1;
}

describe('a damaged journal', () => {
  it.each([
    {
      title: 'the snapshot is missing',
      damage: () => rm(snapshot()),
      reported: /the snapshot is missing, \d+ acknowledged writes are missing/,
      isWhole: false,
    },
    {
      title: 'the snapshot is empty',
      damage: () => truncate(snapshot()),
      reported: 'the snapshot is damaged',
      isWhole: false,
    },
    {
      title: 'the first line of the snapshot is damaged',
      damage: () => flip(snapshot(), 12),
      reported: 'the snapshot is damaged',
      isWhole: true,
    },
    {
      title: 'a byte of the snapshot changed',
      damage: async () => flip(snapshot(), (await middleOf(snapshot())) + 20),
      reported: '1 damaged record in the snapshot',
      isWhole: false,
    },
    {
      title: 'the snapshot lost its end',
      damage: async () => truncate(snapshot(), await middleOf(snapshot())),
      reported: /\d+ damaged records in the snapshot/,
      isWhole: false,
    },
    {
      title: 'the first line of a segment is damaged',
      damage: async () => flip(await segment(), 12),
      reported: '(1 damaged line)',
      isWhole: true,
    },
    {
      title: 'a byte of a segment changed',
      damage: async () => flip(await segment(), (await middleOf(await segment())) + 20),
      reported: '(1 damaged line, 1 acknowledged write is missing)',
      isWhole: false,
    },
    {
      title: 'the segments are missing',
      damage: async () => rm(await segment()),
      reported: 'the changes since the snapshot are missing',
      isWhole: false,
    },
    {
      title: 'a segment has a disk’s zeros in it',
      damage: async () => {
        const bytes = await readFile(await segment());
        const start = Math.floor(bytes.length / 2);
        await writeFile(await segment(), bytes.fill(0, start, start + 4096));
      },
      reported: /\d+ acknowledged writes? (is|are) missing/,
      isWhole: false,
    },
  ])('opens with what can be saved where $title', async ({ damage, reported, isWhole }) => {
    await damage();
    const damaged = new Map(
      await Promise.all(
        (await files()).map(async (name) => [name, await readFile(join(folder, name))] as const),
      ),
    );

    const { recovered, records } = await read();

    if (reported instanceof RegExp) expect(recovered).toMatch(reported);
    else expect(recovered).toContain(reported);
    expect(recovered).toContain(`${records.size} records were recovered`);
    const kept = String(recovered?.split(' are in ').at(-1));
    for (const [name, bytes] of damaged) {
      // A whole file was continued.
      const found = (await readFile(join(kept, name))).subarray(0, bytes.length);
      expect(found.equals(bytes), name).toBe(true);
    }
    if (isWhole) expect(records).toEqual(content);
    else expect(records.size).toBeGreaterThan(content.size / 4);
    // From now on it is as good as any.
    const again = await read();
    expect(again.recovered).toBeUndefined();
    expect(again.records).toEqual(new Map(records).set('written/later', true));
  });

  it('reports that the last change is not complete where a segment lost its end', async () => {
    await truncate(await segment(), (await middleOf(await segment())) + 20);

    const { recovered } = await read();

    expect(recovered).toMatch(
      /the last change was incomplete and was discarded; .* or a truncated file/,
    );
    expect((await readdir(parent)).toSorted()).toEqual(['journal', 'journal.mark']);
  });

  it(`reports every loss and makes no record up, whatever is damaged (${kills} times)`, async () => {
    console.log(`damage to a journal's files: ${kills} times`);
    const random = seeded(testSeed());

    for (let round = 0; round < kills; round += 1) {
      await rm(folder, { recursive: true });
      await cp(join(original, 'journal'), folder, { recursive: true });
      await copyMark();
      const names = await files();
      const file = join(folder, String(names[Math.floor(random() * names.length)]));
      const position = Math.floor(random() * (await stat(file)).size);
      const damages = [
        () => flip(file, position, Math.floor(random() * 8)),
        () => truncate(file, position),
        () => rm(file),
      ];
      await damages[Math.floor(random() * damages.length)]?.();

      const { recovered, records } = await read();

      if (recovered === undefined) expect(records).toEqual(content);
      for (const [key, value] of records) expect(values.get(key)).toContain(JSON.stringify(value));
      const again = await read();
      expect(again.recovered).toBeUndefined();
      expect(again.records.size).toBe(records.size + 1);
    }
  });

  it.each([
    {
      title: 'the end of a segment is zeros',
      damage: async () => {
        const bytes = await readFile(await segment());
        await writeFile(await segment(), bytes.fill(0, bytes.length - 40_000));
      },
    },
    {
      title: 'a segment was cut off between two changes',
      damage: async () => truncate(await segment(), await middleOf(await segment())),
    },
    { title: 'its segments were deleted', damage: async () => rm(await segment()) },
    { title: 'its folder was deleted', damage: () => rm(folder, { recursive: true }) },
  ])('reports acknowledged writes that are missing where $title', async ({ damage }) => {
    await copyMark();
    await damage();

    const { recovered, records } = await read();

    const missing = Number(/(\d+) acknowledged writes are missing/.exec(recovered ?? '')?.[1]);
    expect(missing).toBeGreaterThanOrEqual(5);
    expect(await readdir(parent)).toContainEqual(expect.stringMatching(/^journal\.damaged-/));
    const again = await read();
    expect(again.recovered).toBeUndefined();
    expect(again.records).toEqual(new Map(records).set('written/later', true));
  });

  it('reports it where an older copy of its snapshot took its place', async () => {
    const older = await readFile(snapshot());
    const journal = await Journal.open(folder);
    for (let change = 0; change < 12; change += 1) {
      await journal.write({ put: { [`large/${change}`]: 'x'.repeat(100_000) } });
    }
    await journal.close();
    await writeFile(snapshot(), older);

    const { recovered } = await read();

    expect(recovered).toMatch(/\d+ acknowledged writes are missing/);
  });

  it('cannot report missing writes without its mark', async () => {
    await writeFile(`${folder}.mark`, 'something else');

    const { recovered, records } = await read();

    expect([recovered, records]).toEqual([undefined, content]);
  });

  it(`is salvaged as well after kill -9 of those who salvaged it before`, async () => {
    const random = seeded(testSeed());
    for (let round = 0; round < kills / 4; round += 1) {
      await rm(folder, { recursive: true });
      await cp(join(original, 'journal'), folder, { recursive: true });
      await flip(snapshot(), (await middleOf(snapshot())) + 20);
      const lost = await lostKey(snapshot());
      const script = `
        import { Journal } from ${JSON.stringify(fileURLToPath(new URL('journal.ts', import.meta.url)))};
        console.log('begins');
        await Journal.open(${JSON.stringify(folder)});
        setInterval(() => {}, 1000);`;
      const opener = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (opener.stdout) await once(opener.stdout, 'data');
      // The moment of the kill is what the test is about.
      await pause(random() ** 2 * 100);
      opener.kill('SIGKILL');
      await once(opener, 'close');

      const { records } = await read();

      const expected = new Map(content);
      for (const key of lost) if (!records.has(key)) expected.delete(key);
      expect(records).toEqual(expected);
    }
  });

  /** Keys of the snapshot's lines in the middle, of which one is damaged; a change since may have put it again. */
  async function lostKey(path: string): Promise<string[]> {
    const bytes = await readFile(path);
    const start = await middleOf(path);
    const line = bytes.toString('latin1', start, bytes.indexOf(10, start));
    return [...line.matchAll(/cycle.\d+/g)].map(([key]) => key);
  }
});
