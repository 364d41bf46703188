import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findPython, startDatabaseWriter } from '../testing/writers.ts';
import { SealedFile } from './sealed-file.ts';
import { copyDatabase, DatabaseBusy } from './sqlite.ts';

const run = promisify(execFile);
const python = await findPython();
const never = new AbortController().signal;
const copies = process.env.SKOLO_LONG ? 200 : 20;

async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-sqlite-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What is in a copy, asked of SQLite: whether it is whole, and the last number of each table. */
async function ask(
  database: string,
): Promise<{ said: string; a: number; b: number; rows: number }> {
  const script = `
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
(said,) = database.execute("pragma integrity_check").fetchone()
(a, rows) = database.execute("select max(number), count(*) from a").fetchone()
(b,) = database.execute("select max(number) from b").fetchone()
print(json.dumps({"said": said, "a": a, "b": b, "rows": rows}))`;
  const { stdout } = await run(python ?? '', ['-c', script, database]);
  return JSON.parse(stdout);
}

describe('copyDatabase', () => {
  it.for([
    ['wal', copies],
    ['delete', copies / 4],
  ] as const)(
    'has all that was committed when it began, in mode %s (%i copies)',
    { timeout: 3_600_000 },
    async ([mode, rounds], { skip }) => {
      if (!python) return skip('python3 is not installed');
      const folder = await tempFolder();
      const database = join(folder, 'state.db');
      const writer = await startDatabaseWriter(python, database, mode);
      await expect.poll(writer.reported, { timeout: 30_000 }).toBeGreaterThan(0);

      for (let round = 0; round < rounds; round += 1) {
        const before = await writer.reported();
        // In mode delete it takes a moment in which nobody writes.
        const copy = await copyDatabase(database, { folder, signal: never, tries: 1000 });
        const to = join(folder, `copy-${round}`);
        await mkdir(to);
        for (const { suffix, size, stream } of copy.files) {
          const bytes = await buffer(stream());
          expect(bytes.length).toBe(size);
          await writeFile(join(to, `state.db${suffix}`), bytes);
        }
        await copy.remove();
        const { said, a, b, rows } = await ask(join(to, 'state.db'));

        expect(said).toBe('ok');
        expect(a).toBeGreaterThanOrEqual(before);
        expect(b).toBe(a);
        expect(rows).toBeLessThanOrEqual(201);
        await rm(to, { recursive: true });
      }
      await writer.kill();
      const left = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));

      expect(left).toEqual([]);
    },
  );

  it('has all that a writer had committed who was killed', async ({ skip }) => {
    if (!python) return skip('python3 is not installed');
    const folder = await tempFolder();
    const database = join(folder, 'state.db');
    for (let round = 0; round < 5; round += 1) {
      const writer = await startDatabaseWriter(python, database, 'wal');
      await expect.poll(writer.reported, { timeout: 30_000 }).toBeGreaterThan(round);
      await writer.kill();
      const last = await writer.reported();

      const copy = await copyDatabase(database, { folder, signal: never });
      const to = join(folder, `copy-${round}`);
      await mkdir(to);
      for (const { suffix, stream } of copy.files) {
        await writeFile(join(to, `state.db${suffix}`), await buffer(stream()));
      }
      await copy.remove();

      expect(await ask(join(to, 'state.db'))).toMatchObject({ said: 'ok', b: expect.any(Number) });
      expect((await ask(join(to, 'state.db'))).a).toBeGreaterThanOrEqual(last);
    }
  });

  it('gives up on one that is never left alone, and leaves nothing', async ({ skip }) => {
    if (!python) return skip('python3 is not installed');
    const folder = await tempFolder();
    const database = join(folder, 'state.db');
    const writer = await startDatabaseWriter(python, database, 'delete');
    await expect.poll(writer.reported, { timeout: 30_000 }).toBeGreaterThan(0);

    const attempts = Array.from({ length: 5 }, () =>
      copyDatabase(database, { folder, signal: never, tries: 1 }).then(
        (copy) => copy.remove(),
        (error: unknown) => expect(error).toBeInstanceOf(DatabaseBusy),
      ),
    );
    await Promise.all(attempts);
    await writer.kill();

    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('SealedFile', () => {
  it('gives back what it was given, and shows nothing of it on the disk', async () => {
    const folder = await tempFolder();
    const content = Buffer.from('canary '.repeat(50_000));

    const sealed = await SealedFile.from([content.subarray(0, 9), content.subarray(9)], {
      folder,
      signal: never,
    });
    const [name = ''] = await readdir(folder);
    const onDisk = await readFile(join(folder, name));
    const back = await buffer(sealed.stream());
    await sealed.remove();

    expect(back.equals(content)).toBe(true);
    expect(sealed.size).toBe(content.length);
    expect(onDisk.length).toBe(content.length);
    expect(onDisk.includes('canary')).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing of what it could not finish', async () => {
    const folder = await tempFolder();
    async function* broken() {
      yield Buffer.from('a');
      throw new Error('no more');
    }

    await expect(SealedFile.from(broken(), { folder, signal: never })).rejects.toThrow('no more');
    expect(await readdir(folder)).toEqual([]);
  });
});
