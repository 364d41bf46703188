import { once } from 'node:events';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { beforeEach, expect, it } from 'vitest';
import { testSeed } from '../../testing/test-seed.ts';
import { countRounds, killAfter, seeded, startWriter } from '../testing/fault-injection.ts';
import { parsed, segmentBytes, workers } from '../testing/spool-writer.ts';
import { Spool } from './spool.ts';

/** More than elsewhere: some must hit a trim. */
const kills = countRounds(10);

const script = join(import.meta.dirname, '../testing/spool-writer.ts');

let folder: string;
beforeEach(async () => {
  folder = join(await tempDir(), 'spool');
});

/** What the killed processes reported, and what was found after them. */
interface Known {
  /** By sequence number. */
  acknowledged: Map<number, string>;
  trimmed: number;
  cursors: Map<string, number>;
  next: number;
  /** By worker: the last version of which anything was seen. */
  versions: Map<number, number>;
}

function note(known: Known, line: string) {
  const [what, ...args] = line.split(' ');
  const numbers = args.map(Number);
  if (what === 'trim') known.trimmed = Math.max(known.trimmed, numbers[0] ?? 0);
  if (what === 'cursor') known.cursors.set(args[0] ?? '', numbers[1] ?? 0);
  if (what !== 'append') return;
  const [worker = 0, version = 0, count = 0, seq = 0] = numbers;
  for (let part = 0; part < count; part += 1) {
    known.acknowledged.set(seq + part, `${worker} ${version} ${part}`);
  }
}

async function compare(known: Known, spool: Spool) {
  expect([spool.damage, spool.unreadable]).toEqual([undefined, 0]);
  expect(spool.next).toBeGreaterThan(Math.max(0, ...known.acknowledged.keys()));
  expect(spool.next).toBeGreaterThanOrEqual(known.next);
  expect(spool.first).toBeLessThanOrEqual(Math.max(known.trimmed, 1));
  for (const [name, seq] of known.cursors) {
    expect(spool.cursor(name)).toBeGreaterThanOrEqual(Math.max(seq, spool.first));
  }
  const problems: string[] = [];
  let expected = spool.first;
  for await (const { seq, text } of spool.read(1)) {
    if (seq !== expected) problems.push(`${seq} comes where ${expected} should`);
    expected = seq + 1;
    const change = parsed(text);
    const found = change ? `${change.worker} ${change.version} ${change.part}` : text;
    const acknowledged = known.acknowledged.get(seq);
    if (!change || (acknowledged !== undefined && acknowledged !== found)) {
      problems.push(`${seq} is ${found}, not ${acknowledged}`);
    }
    if (change) known.versions.set(change.worker, change.version);
  }
  expect(problems).toEqual([]);
  expect(expected).toBe(spool.next);
  known.next = spool.next;
  for (const seq of known.acknowledged.keys()) {
    if (seq < spool.first) known.acknowledged.delete(seq);
  }
}

it(`has every acknowledged record, in order and whole, after each of ${kills} times kill -9`, async () => {
  console.log(`kill -9 of the spool's writer: ${kills} kills`);
  const random = seeded(testSeed());
  const known: Known = {
    acknowledged: new Map(),
    trimmed: 0,
    cursors: new Map(),
    next: 1,
    versions: new Map(),
  };
  // A slow computer needs more rounds until there is something to trim.
  for (let kill = 0; kill < kills || known.trimmed <= 1; kill += 1) {
    const versions = workers.map((worker) => String((known.versions.get(worker) ?? 0) + 1));
    const writer = startWriter(script, folder, String(testSeed() + kill), ...versions);
    for (const line of await killAfter(writer, random() ** 2 * 250)) note(known, line);

    const spool = await Spool.open(folder, { segmentBytes });
    await compare(known, spool);
    await spool.close();
  }
});

it('is one process’s', async () => {
  const writer = startWriter(script, folder, '1');
  const closed = once(writer, 'close');
  if (writer.stdout) await once(writer.stdout, 'data');

  await expect(Spool.open(folder)).rejects.toMatchObject({ code: 'LOCKED' });

  writer.kill('SIGKILL');
  await closed;
  await (await Spool.open(folder)).close();
});
