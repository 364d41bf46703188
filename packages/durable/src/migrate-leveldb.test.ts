/** The state of version 0.1, as classic-level wrote it, recorded in testdata/leveldb. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';
import { lock } from './spool/lock.ts';
import { campaign, seed, seeded } from './testing/campaign.ts';

const kills = campaign();

const recorded = fileURLToPath(new URL('../testdata/leveldb', import.meta.url));
const content = new Map<string, unknown>(
  Object.entries(JSON.parse(await readFile(join(recorded, 'content.json'), 'utf8'))),
);

let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'skolo-durable-'));
  folder = join(parent, 'journal');
  await copyRecorded();
});
afterEach(() => rm(parent, { recursive: true }));

async function copyRecorded() {
  await cp(join(recorded, 'journal'), folder, { recursive: true });
  await cp(join(recorded, 'journal.mark'), `${folder}.mark`);
}

async function read() {
  const journal = await Journal.open(folder);
  try {
    return { recovered: journal.recovered, records: new Map(journal.entries()) };
  } finally {
    await journal.close();
  }
}

async function flip(name: string, position: number) {
  const bytes = await readFile(join(folder, name));
  bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
  await writeFile(join(folder, name), bytes);
}

describe('a journal of version 0.1', () => {
  it('is brought into the new one once, and kept', async () => {
    const before = (await readdir(folder)).toSorted();

    expect(await read()).toEqual({ recovered: undefined, records: content });

    expect((await readdir(parent)).toSorted()).toEqual([
      'journal',
      'journal.leveldb',
      'journal.mark',
    ]);
    expect((await readdir(`${folder}.leveldb`)).toSorted()).toEqual(before);
    expect((await readdir(folder)).toSorted()).toEqual([
      '0000000000000001.spool',
      'lock',
      'snapshot',
    ]);
    const journal = await Journal.open(folder);
    await journal.write({ put: { 'cycle!new': 1 }, delete: ['run!long'] });
    await journal.close();
    const expected = new Map(content).set('cycle!new', 1);
    expected.delete('run!long');
    expect(await read()).toEqual({ recovered: undefined, records: expected });
  });

  it.each([
    { title: 'CURRENT is missing', damage: () => rm(join(folder, 'CURRENT')), isWhole: true },
    { title: 'the manifest is damaged', damage: () => flip('MANIFEST-000010', 12), isWhole: true },
    {
      title: 'the manifest is missing',
      damage: () => rm(join(folder, 'MANIFEST-000010')),
      isWhole: true,
    },
    { title: 'a byte of the log changed', damage: () => flip('000012.log', 100), isWhole: false },
    { title: 'the log is missing', damage: () => rm(join(folder, '000012.log')), isWhole: false },
    { title: 'a byte of a table changed', damage: () => flip('000011.ldb', 1000), isWhole: false },
    { title: 'a table is missing', damage: () => rm(join(folder, '000011.ldb')), isWhole: false },
    {
      title: 'the end of the log is zeros',
      damage: async () => {
        const bytes = await readFile(join(folder, '000012.log'));
        await writeFile(join(folder, '000012.log'), bytes.fill(0, bytes.length - 2000));
      },
      isWhole: false,
    },
    { title: 'its folder was deleted', damage: () => rm(folder, { recursive: true }) },
  ])('reports what was lost where $title', async ({ damage, isWhole }) => {
    await damage();

    const { recovered, records } = await read();

    expect(recovered).toMatch(
      /was damaged \(.+\): \d+ records were recovered, .*journal\.leveldb$/,
    );
    if (isWhole === true) expect(records).toEqual(content);
    if (isWhole === false) expect(records.size).toBeGreaterThan(content.size / 3);
    expect(await read()).toEqual({ recovered: undefined, records });
  });

  it('reports that the last change is not complete where the log lost its end', async () => {
    await rm(`${folder}.mark`);
    await truncate(join(folder, '000012.log'), (await stat(join(folder, '000012.log'))).size - 10);

    const { recovered, records } = await read();

    expect(recovered).toContain('the last change is incomplete');
    expect(records.size).toBeGreaterThan(content.size / 2);
  });

  it('is found where version 0.1 died before the files that it had saved were in their place', async () => {
    await rename(folder, `${folder}.salvaging`);

    const { recovered, records } = await read();

    expect(records).toEqual(content);
    expect(recovered).toContain('version 0.1 set the damaged files aside');
    expect((await read()).records).toEqual(content);
  });

  it('is left to a process of version 0.1 that has it open', async () => {
    const unlock = await lock(join(folder, 'LOCK'));

    await expect(Journal.open(folder)).rejects.toMatchObject({ code: 'LOCKED' });

    unlock();
    expect((await read()).records).toEqual(content);
  });

  it(`is whole after kill -9 while it is brought over, ${kills} times (seed ${seed})`, async () => {
    console.log(`kill -9 of a migration: ${kills} kills, SKOLO_SEED=${seed}`);
    const random = seeded(seed);
    const index = fileURLToPath(new URL('journal.ts', import.meta.url));
    const script = `
      import { Journal } from ${JSON.stringify(index)};
      console.log('begins');
      const journal = await Journal.open(${JSON.stringify(folder)});
      for (let n = 1; ; n += 1) {
        await journal.write({ put: { n } });
        console.log(n);
      }`;
    for (let round = 0; round < kills; round += 1) {
      const expected = new Map(content);
      for (let kill = 0; kill < 3; kill += 1) {
        const migrating = spawn(process.execPath, ['--input-type=module', '-e', script], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let output = '';
        migrating.stdout?.setEncoding('utf8').on('data', (text) => {
          output += text;
        });
        const closed = once(migrating, 'close');
        if (migrating.stdout) await once(migrating.stdout, 'data');
        // The moment of the kill is what the test is about.
        await sleep(random() ** 2 * 60);
        migrating.kill('SIGKILL');
        await closed;
        const n = Number(output.trim().split('\n').at(-1));
        if (n > 0) expected.set('n', n);
      }

      const { records, recovered } = await read();

      // A change that was not acknowledged may be there.
      const n = Number(records.get('n') ?? 0);
      expect(n, `SKOLO_SEED=${seed}`).toBeGreaterThanOrEqual(Number(expected.get('n') ?? 0));
      if (n > 0) expected.set('n', n);
      expect(records, `SKOLO_SEED=${seed}`).toEqual(expected);
      if (recovered !== undefined) expect(recovered).toContain('the last change');
      for (const name of await readdir(parent)) await rm(join(parent, name), { recursive: true });
      await copyRecorded();
    }
  }, 600_000);
});
