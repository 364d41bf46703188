import {
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';
import { kills, seed, seeded } from './kill-test.ts';
import { readLog } from './leveldb/log.ts';

let parent: string;
let folder: string;
let original: string;
/** What the original holds, and each value that each key ever had. */
const content = new Map<string, unknown>();
const values = new Map<string, Set<string>>();

beforeAll(async () => {
  original = await mkdtemp(join(tmpdir(), 'skolo-durable-'));
  const random = seeded(4711);
  // Each start makes a table of the log before, so that there are three tables and a log.
  for (let start = 0; start < 4; start += 1) {
    const journal = await Journal.open(join(original, 'journal'));
    for (let change = 0; change < 150; change += 1) {
      const put = Object.fromEntries(
        Array.from({ length: 3 }, (_, position): [string, unknown] => [
          `cycle/${Math.floor(random() * 200)}`,
          { start, change, position, filling: 'f'.repeat(random() * 300) },
        ]),
      );
      const deleted = `cycle/${Math.floor(random() * 200)}`;
      await journal.write({ put, delete: [deleted] });
      content.delete(deleted);
      for (const [key, value] of Object.entries(put)) {
        content.set(key, value);
        values.set(key, (values.get(key) ?? new Set()).add(JSON.stringify(value)));
      }
    }
    await journal.close();
  }
});
afterAll(() => rm(original, { recursive: true }));

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'skolo-durable-'));
  folder = join(parent, 'journal');
  await cp(join(original, 'journal'), folder, { recursive: true });
});
afterEach(() => rm(parent, { recursive: true }));

async function read(): Promise<{ recovered: string | undefined; records: Map<string, unknown> }> {
  const journal = await Journal.open(folder);
  try {
    const records = new Map<string, unknown>();
    for await (const [key, value] of journal.entries()) records.set(key, value);
    await journal.write({ put: { 'written/later': true } });
    return { recovered: journal.recovered, records };
  } finally {
    await journal.close();
  }
}

async function nameOf(pattern: RegExp): Promise<string> {
  const name = (await readdir(folder)).find((candidate) => pattern.test(candidate));
  if (name === undefined) throw new Error(`no ${pattern} in ${folder}`);
  return join(folder, name);
}

async function flip(path: string, position: number, bit = 0) {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(position) ^ (1 << bit), position);
  await writeFile(path, bytes);
}

async function cutInHalf(path: string) {
  await truncate(path, Math.floor((await stat(path)).size / 2));
}

describe('a damaged journal', () => {
  it.each([
    {
      title: 'CURRENT is missing',
      damage: () => rm(join(folder, 'CURRENT')),
      told: 'CURRENT is missing',
      isWhole: true,
    },
    {
      title: 'CURRENT is empty',
      damage: () => truncate(join(folder, 'CURRENT')),
      told: 'CURRENT names no manifest',
      isWhole: true,
    },
    {
      title: 'the manifest is missing',
      damage: async () => rm(await nameOf(/^MANIFEST/)),
      told: 'CURRENT names no manifest',
      isWhole: true,
    },
    {
      title: 'the manifest lost its end',
      damage: async () => cutInHalf(await nameOf(/^MANIFEST/)),
      told: /MANIFEST-\d+ is damaged/,
      isWhole: true,
    },
    {
      title: 'a byte of the manifest changed',
      damage: async () => flip(await nameOf(/^MANIFEST/), 12),
      told: /MANIFEST-\d+ is damaged/,
      isWhole: true,
    },
    {
      title: 'a byte of the log changed',
      damage: async () => flip(await nameOf(/\.log$/), 40_000),
      told: /\.log: \d+ damaged bytes/,
      isWhole: false,
    },
    {
      title: 'the log is missing',
      damage: async () => rm(await nameOf(/\.log$/)),
      told: /log \d+ is missing/,
      isWhole: false,
    },
    {
      title: 'a byte of the newest table changed',
      damage: async () => flip(await nameOf(/11\.ldb$/), 1000),
      told: /\.ldb: 1 damaged blocks/,
      isWhole: false,
    },
    {
      title: 'a table is missing',
      damage: async () => rm(await nameOf(/11\.ldb$/)),
      told: /table 11 is missing/,
      isWhole: false,
    },
  ])('opens with what can be saved where $title', async ({ damage, told, isWhole }) => {
    await damage();
    const damaged = (await readdir(folder)).sort();

    const { recovered, records } = await read();

    expect(recovered).toMatch(told);
    const kept = String(recovered?.split(' are in ').at(-1));
    expect(await readdir(kept)).toEqual(expect.arrayContaining(damaged));
    if (isWhole) expect(records).toEqual(content);
    else expect(records.size).toBeGreaterThan(content.size / 2);
    // From now on it is as good as any.
    const again = await read();
    expect(again.recovered).toBeUndefined();
    expect(again.records).toEqual(new Map([...records, ['written/later', true]]));
  });

  it('says that the last change is not complete where the log lost its end', async () => {
    await cutInHalf(await nameOf(/\.log$/));

    const { recovered } = await read();

    expect(recovered).toMatch(
      /the last change was not written to its end.* or \d+\.log lost its end/,
    );
    expect(await readdir(parent)).toEqual(['journal', 'journal.mark']);
  });

  it(`loses nothing in silence and makes nothing up, whatever is damaged (${kills} times, seed ${seed})`, async () => {
    console.log(`damage to a journal's files: ${kills} times, SKOLO_SEED=${seed}`);
    const random = seeded(seed);

    for (let round = 0; round < kills; round += 1) {
      await rm(folder, { recursive: true });
      await cp(join(original, 'journal'), folder, { recursive: true });
      await cp(join(original, 'journal.mark'), `${folder}.mark`);
      const files = (await readdir(folder)).filter((name) => !name.startsWith('LO'));
      const file = join(folder, String(files[Math.floor(random() * files.length)]));
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
    }
  }, 3_600_000);

  it.each([
    {
      title: 'the end of its log is zeros',
      damage: async () => {
        const path = await nameOf(/\.log$/);
        const bytes = await readFile(path);
        await writeFile(path, bytes.fill(0, bytes.length - 4096));
      },
    },
    {
      title: 'its log was cut off between two records',
      damage: async () => {
        const path = await nameOf(/\.log$/);
        const { records } = readLog(await readFile(path));
        await truncate(path, records.at(-5)?.start ?? 0);
      },
    },
    { title: 'its folder was deleted', damage: () => rm(folder, { recursive: true }) },
  ])('reports acknowledged writes that are missing where $title', async ({ damage }) => {
    await cp(join(original, 'journal.mark'), `${folder}.mark`);
    await damage();

    const { recovered, records } = await read();

    const missing = Number(/(\d+) acknowledged writes are missing/.exec(recovered ?? '')?.[1]);
    expect(missing).toBeGreaterThanOrEqual(5);
    expect(await readdir(parent)).toContainEqual(expect.stringMatching(/^journal\.damaged-/));
    const again = await read();
    expect(again.recovered).toBeUndefined();
    expect(again.records).toEqual(new Map([...records, ['written/later', true]]));
  });

  it('knows nothing of writes without its mark, nor of those of a version that had none', async () => {
    await writeFile(`${folder}.mark`, 'something else');

    const { recovered, records } = await read();

    expect([recovered, records]).toEqual([undefined, content]);
  });

  it('is left to the process that has it open', async () => {
    const journal = await Journal.open(folder);
    await rm(join(folder, 'CURRENT'));

    await expect(Journal.open(folder)).rejects.toMatchObject({ code: 'LOCKED' });

    expect(await readdir(parent)).toEqual(['journal']);
    await journal.close();
  });

  it('is finished where a process died before the new files had their place', async () => {
    await cp(folder, `${folder}.salvaging`, { recursive: true });
    await rename(folder, `${folder}.damaged-2026-11-20T10-00-00.000Z`);

    const { recovered, records } = await read();

    expect(records).toEqual(content);
    expect(recovered).toContain(`${folder}.damaged-2026-11-20T10-00-00.000Z`);
  });

  it('is salvaged from the start where a process died while it wrote the new files', async () => {
    await rm(join(folder, 'CURRENT'));
    await cp(folder, `${folder}.salvaging`, { recursive: true });

    const { records } = await read();

    expect(records).toEqual(content);
  });
});
