import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { run, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { lookInto, startDatabaseWriter } from '../testing/writers.ts';
import { copyDatabase } from './sqlite.ts';

const copies = countRounds();

describe('copyDatabase', () => {
  it.for([
    ['wal', copies],
    ['delete', copies / 4],
  ] as const)(
    'has all that was committed when it began, in mode %s (%i copies)',
    async ([mode, rounds]) => {
      const folder = await tempDir();
      const database = join(folder, 'state.db');
      const writer = await startDatabaseWriter(database, mode);
      await expect.poll(writer.reported).toBeGreaterThan(0);

      for (let round = 0; round < rounds; round += 1) {
        const before = await writer.reported();
        const copy = join(folder, `copy-${round}`);
        await copyDatabase(database, copy);
        const { integrity, a, b, rows } = lookInto(copy);

        expect(integrity).toBe('ok');
        expect(a).toBeGreaterThanOrEqual(before);
        expect(b).toBe(a);
        expect(rows).toBeLessThanOrEqual(201);
        expect((await stat(copy)).mode & 0o777).toBe(0o600);
      }
      await writer.kill();
    },
  );

  it('has all that a killed writer had committed, and leaves nothing but the copy', async () => {
    const folder = await tempDir();
    const database = join(folder, 'state.db');
    for (let round = 0; round < 5; round += 1) {
      const writer = await startDatabaseWriter(database, 'wal');
      await expect.poll(writer.reported).toBeGreaterThan(round);
      await writer.kill();
      const last = await writer.reported();

      const copy = join(folder, `copy-${round}`);
      await copyDatabase(database, copy);
      const left = (await readdir(folder)).filter((name) => name.startsWith('copy-'));
      const { integrity, a, b } = lookInto(copy);

      expect(left).toEqual([`copy-${round}`]);
      expect(integrity).toBe('ok');
      expect(a).toBeGreaterThanOrEqual(last);
      expect(b).toBe(a);
      await rm(copy);
    }
  });

  it.skipIf(lacks('root'))(
    "has all of another user's database, without permission to write there: in use, closed, or its writer was killed",
    async () => {
      const [folder, copies] = [await tempDir(), await tempDir()];
      const database = join(folder, 'history.sqlite');
      const writer = await startDatabaseWriter(database, 'wal');
      await expect.poll(writer.reported).toBeGreaterThan(0);
      await run('chown', ['-R', '10001:10001', folder]);
      const copyAs = async (name: string) => {
        const last = await writer.reported();
        const copy = join(copies, name);
        const module = join(import.meta.dirname, 'sqlite.ts');
        const script = `(await import('${module}')).copyDatabase('${database}', '${copy}')`;
        const mayRead = ['--bounding-set=-all,+dac_read_search', '--inh-caps=-all'];
        await run('setpriv', [...mayRead, process.execPath, '--input-type=module', '-e', script]);
        const { integrity, a, b } = lookInto(copy);
        return { integrity, isWhole: a === b && a >= last };
      };

      const found = [await copyAs('in-use')];
      await writer.kill();
      found.push(await copyAs('killed'));
      lookInto(database);
      expect(await readdir(folder)).toEqual(['history.sqlite']);
      found.push(await copyAs('closed'));

      expect(found).toEqual(Array(3).fill({ integrity: 'ok', isWhole: true }));
    },
  );

  it('rejects what is not a database', async () => {
    const folder = await tempDir();

    await expect(copyDatabase(import.meta.filename, join(folder, 'copy'))).rejects.toThrow(
      'file is not a database',
    );
  });
});
