/** Copies of journals that are being written to, opened as journals. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { Journal } from '../journal/journal.ts';
import { countRounds, killAfter, seeded, startWriter } from '../testing/fault-injection.ts';
import { changeOf, workers } from '../testing/journal-writer.ts';
import { copyLive } from './live-copy.ts';

const kills = countRounds();

let folder: string;

beforeEach(async () => {
  folder = await tempDir();
});

/** What `copyLive` gives, written into a folder of its own. */
async function copyTo(to: string, from: string): Promise<string | undefined> {
  const copy = await copyLive(from);
  if (copy === undefined) throw new Error('no journal');
  try {
    await mkdir(to);
    for (const { name, size, stream } of copy.files) {
      const bytes = await buffer(stream());
      expect(bytes.length, name).toBe(size);
      await writeFile(join(to, name), bytes);
    }
    return copy.damage;
  } finally {
    await copy.close();
  }
}

async function segmentIn(journal: string): Promise<string> {
  return (await readdir(journal)).find((name) => name.endsWith('.spool')) ?? '';
}

/** Version of each worker, all of whose records fit to it. */
async function versionsIn(journal: Journal): Promise<number[]> {
  const versions: number[] = [];
  for (const worker of workers) {
    const version = Number(journal.get(`worker/${worker}/version`) ?? 0);
    const { put = {} } = changeOf(worker, version);
    if (version > 0) {
      for (const [key, value] of Object.entries(put)) {
        expect(journal.get(key), key).toEqual(value);
      }
    }
    versions.push(version);
  }
  return versions;
}

/** The writer of the kill tests, which reports into a file: a pipe that is not read in time would end it. */
async function startReporting(journal: string) {
  const report = join(folder, 'report');
  const output = await open(report, 'w');
  const script = fileURLToPath(new URL('../testing/journal-writer.ts', import.meta.url));
  const writer = spawn(process.execPath, [script, journal], {
    stdio: ['ignore', output.fd, 'inherit'],
  });
  const ended = once(writer, 'close');
  async function stop(): Promise<void> {
    writer.kill('SIGKILL');
    await ended;
    await output.close();
  }
  /** The newest version of each worker that the process has reported. */
  async function reported(): Promise<number[]> {
    const versions = workers.map(() => 0);
    const lines = (await readFile(report, 'utf8')).split('\n');
    for (const line of lines.slice(0, -1)) {
      const [worker = 0, version = 0] = line.split(' ').map(Number);
      versions[worker] = version;
    }
    return versions;
  }
  return { reported, stop };
}

describe('copyLive', () => {
  let stop: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await stop?.();
    stop = undefined;
  });

  it(`has all that was reported when it began (${kills} copies)`, async () => {
    const live = join(folder, 'journal');
    const writer = await startReporting(live);
    const { reported } = writer;
    stop = writer.stop;
    const beyond = (version: number) =>
      expect
        .poll(reported)
        .toSatisfy((versions: number[]) => versions.every((each) => each > version));
    await beyond(0);

    for (let round = 0; round < kills; round += 1) {
      const before = await reported();
      const to = join(folder, `copy-${round}`);
      const damage = await copyTo(to, live);
      const journal = await Journal.open(to);
      const copied = await versionsIn(journal);
      await journal.close();
      await rm(to, { recursive: true });

      expect(damage).toBeUndefined();
      expect(journal.recovered).toBeUndefined();
      for (const worker of workers)
        expect(copied[worker]).toBeGreaterThanOrEqual(before[worker] ?? 0);
      // So that the next copy finds other files.
      await beyond(Math.max(...before) + 20);
    }
  });

  it('has all that was reported by a writer that was killed', async () => {
    const random = seeded(testSeed());
    const live = join(folder, 'journal');
    for (let round = 0; round < kills / 4; round += 1) {
      const writer = startWriter(join(import.meta.dirname, '../testing/journal-writer.ts'), live);
      const lines = await killAfter(writer, random() * 300);
      const to = join(folder, `copy-${round}`);

      const damage = await copyTo(to, live);
      const journal = await Journal.open(to);
      const copied = await versionsIn(journal);
      await journal.close();

      expect(damage).toBeUndefined();
      expect(journal.recovered).toBeUndefined();
      for (const line of lines) {
        const [worker = 0, version = 0] = line.split(' ').map(Number);
        expect(copied[worker]).toBeGreaterThanOrEqual(version);
      }
    }
  });

  it('has the newest records where the only segment is replaced before it is opened', async () => {
    const live = join(folder, 'journal');
    const journal = await Journal.open(live);
    await journal.write({ put: { b: 1 } });
    const first = await segmentIn(live);
    // Reading it would take minutes, so the copy has the list of files, and opens the segment later.
    const before = join(live, '0000000000000000.spool');
    await writeFile(before, '');
    await truncate(before, 2 ** 40);
    const copying = copyTo(join(folder, 'copy'), live);
    for (let change = 0; change < 12; change += 1) {
      await journal.write({ put: { a: 'x'.repeat(100_000) } });
    }
    await expect.poll(() => readdir(live)).not.toContain(first);
    await truncate(before, 0);
    await rm(before);
    await copying;
    await journal.close();

    const copy = await Journal.open(join(folder, 'copy'));
    expect(copy.recovered).toBeUndefined();
    expect(copy.get('b')).toBe(1);
    await copy.close();
  });

  it('changes no file, and takes no lock', async () => {
    const live = join(folder, 'journal');
    const journal = await Journal.open(live);
    for (let change = 0; change < 12; change += 1) {
      await journal.write({ put: { a: 'x'.repeat(100_000) } });
    }
    // The segment that the snapshot covers is deleted after it is written.
    await expect.poll(() => readdir(live)).not.toContain('0000000000000001.spool');
    const before = await readdir(live);

    await copyTo(join(folder, 'copy'), live);
    await journal.write({ put: { a: 2 } });
    await journal.close();

    expect((await readdir(join(folder, 'copy'))).toSorted()).toEqual(
      before.filter((name) => name !== 'lock').toSorted(),
    );
    expect(before).toContain('lock');
  });

  it('leaves out a record that is not written to its end', async () => {
    const live = join(folder, 'journal');
    const journal = await Journal.open(live);
    await journal.write({ put: { a: 1 } });
    await appendFile(join(live, await segmentIn(live)), '0102030405 7 [["a"');

    await copyTo(join(folder, 'copy'), live);
    const copy = await Journal.open(join(folder, 'copy'));
    const found = copy.get('a');
    await copy.close();
    await journal.close();

    expect(found).toBe(1);
    expect(copy.recovered).toBeUndefined();
  });

  it('can be continued like the original', async () => {
    const live = join(folder, 'journal');
    const journal = await Journal.open(live);
    for (let change = 0; change < 12; change += 1) {
      await journal.write({ put: { a: 'x'.repeat(100_000) } });
    }
    await expect.poll(() => readdir(live)).toContain('snapshot');
    await journal.close();
    await copyTo(join(folder, 'copy'), live);
    // As where the snapshot was written while the segments were being copied.
    const segment = join(folder, 'copy', await segmentIn(live));
    const lines = (await readFile(segment, 'utf8')).split('\n');
    await writeFile(segment, `${lines[0]}\n`);

    for (const version of [1, 2, 3]) {
      const copy = await Journal.open(join(folder, 'copy'));
      expect([copy.recovered, copy.get('b')]).toEqual([
        undefined,
        version > 1 ? version - 1 : undefined,
      ]);
      await copy.write({ put: { b: version } });
      await copy.close();
    }
  });

  it('is rejected where there is no journal', async () => {
    await writeFile(join(folder, 'audit.jsonl'), '{}');

    expect(await copyLive(folder)).toBeUndefined();
  });

  it('takes a damaged journal as it is, and reports it', async () => {
    const live = join(folder, 'journal');
    const journal = await Journal.open(live);
    await journal.write({ put: { a: 1 } });
    await journal.close();
    const segment = await segmentIn(live);
    const bytes = await readFile(join(live, segment));
    bytes[10] = (bytes[10] ?? 0) ^ 0xff;
    await writeFile(join(live, segment), bytes);

    const copy = await copyLive(live, { tries: 2 });
    await copy?.close();

    expect(copy?.damage).toBe(`${segment} has 1 damaged line`);
    expect(copy?.files.map(({ name }) => name)).toContain(segment);
  });

  it('ends with its signal', async () => {
    const live = join(folder, 'journal');
    await mkdir(live);
    await writeFile(join(live, 'snapshot'), '');
    const signal = AbortSignal.abort(new Error('stops'));

    await expect(copyLive(live, { signal })).rejects.toThrow('stops');
  });
});
