/**
 * No message of equipment, a phone or an agent stops a process for long, whatever it contains: each reader of the table is measured with its
 * worst contents, and with recordings that a seeded mutator has changed. The long run prints the longest turn of each.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { countRounds, isLong, seeded } from '@skolo/base/durable/fault-injection';
import { collectGarbage, longestTurn, slowness, type Turn, testSeed } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { noRecordings } from '../../../../packages/equipment/src/models/testing/recordings.ts';
import { type Content, messageOf, mutated, pieces, type Row, recordings } from './contents.ts';
import { parsers, phoneReaders, rows, withoutReader, withoutText } from './table.ts';

/** Of processor time, on the reference computer. */
const mostMs = 100;
/** With garbage. A service has 512 MiB or more. */
const mostMiB = 128;
/** The least of so many counts, because each may compile, collect the garbage of others, or share its processor's cache with other programs. */
const tries = 12;
/** Quadratic time shows in a part of the largest message, before it takes minutes. */
const parts = [64, 8, 1];

function isTooMuch({ mostMs: own = mostMs }: Row, { ms, mib }: Turn): boolean {
  return ms > own || mib > mostMiB;
}

async function measured(row: Row, content: Content | Buffer): Promise<Turn> {
  let turn: Turn = { ms: 0, mib: 0 };
  for (const part of Buffer.isBuffer(content) ? [1] : parts) {
    const { bytes, count, weights } = row.most;
    const limited = count !== undefined && weights && { count: count / part, weights };
    const most = { bytes: bytes / part, ...limited };
    const message = Buffer.isBuffer(content) ? content : messageOf(content, most);
    turn = await turnOf(row, message);
    for (let again = 1; again < tries && isTooMuch(row, turn); again += 1) {
      await collectGarbage();
      const next = await turnOf(row, message);
      turn = { ms: Math.min(turn.ms, next.ms), mib: Math.min(turn.mib, next.mib) };
    }
    if (isTooMuch(row, turn)) break;
  }
  return turn;
}

/** In time of the reference computer, unless it is far below the limit: no computer is ten times as fast. */
async function turnOf(row: Row, message: Buffer): Promise<Turn> {
  const { ms, mib } = await longestTurn(() => row.read(message));
  const isCheap = ms < (row.mostMs ?? mostMs) / 10;
  return { ms: isCheap ? ms : ms / (await slowness()), mib };
}

/** @returns the longest turn of all */
async function isReadInShortTurns(row: Row, content: Content | Buffer): Promise<Turn> {
  const turn = await measured(row, content);
  const about = Buffer.isBuffer(content) ? `${content.length} bytes` : content;
  expect({ reader: row.reader, about, turn: isTooMuch(row, turn) ? turn : 'short' }).toEqual({
    reader: row.reader,
    about,
    turn: 'short',
  });
  return turn;
}

it('has a row for each transport', () => {
  const transports = join(import.meta.dirname, '../../../../packages/equipment/src/transports');
  const known = new Set([
    ...rows.map(({ reader }) => reader.split(':')[0] ?? ''),
    ...Object.keys(withoutReader),
  ]);
  // A folder has a row, or each of its files.
  const isUnderKnown = (file: string) => {
    const [folder = ''] = file.split('/');
    return known.has(folder) || known.has(file);
  };
  const own = readdirSync(transports, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/^testing\/|\.test\.ts$/.test(file),
  );

  expect(own.length).toBeGreaterThan(40);
  expect(own.filter((file) => !isUnderKnown(file))).toEqual([]);
  // Rows of ssh name files, because the costs of its parts differ.
  expect([...known].filter((name) => name.startsWith('ssh/') && !own.includes(name))).toEqual([]);
  expect(known).not.toContain('ssh');
});

it('has a row for each parser of what phones print', () => {
  const known = [...phoneReaders, ...withoutText];

  expect(parsers.filter((name) => !known.includes(name))).toEqual([]);
});

/** About so many of these on each push, spread over all of them and always the same; in the long run all. */
function few<T>(all: readonly T[], count: number): readonly T[] {
  const step = Math.ceil(all.length / count);
  return isLong ? all : all.filter((_, at) => at % step === 0);
}

/** Readers of configurations share most of their code: all of them, with all contents, take more time than a push may. */
const isConfiguration = ({ reader }: Row) => reader.startsWith('models: a config');
const configurations = rows.filter(isConfiguration);
const among = [
  ...rows.filter((row) => !isConfiguration(row)),
  ...few(configurations, 8).map((row) => ({ ...row, worst: few(row.worst ?? [], 3) })),
];
const usual = few(pieces, 3).map((piece) => ({ piece }));

it.each(among.map((row) => [row.reader, row] as const))(
  `reads in short turns: %s`,
  async (_reader, row) => {
    const longest: Turn = { ms: 0, mib: 0 };
    for (const content of [...(row.worst ?? []), ...usual]) {
      const { ms, mib } = await isReadInShortTurns(row, content);
      longest.ms = Math.max(longest.ms, ms);
      longest.mib = Math.max(longest.mib, mib);
    }
    if (!isLong) return;
    const { reader, most } = row;
    const [ms, mib] = [longest.ms, longest.mib].map(Math.round);
    console.log(`${reader}: at most ${most.bytes} bytes, ${ms} ms, ${mib} MiB`);
  },
);

it.skipIf(noRecordings)(`reads in short turns what a mutator makes of recordings`, async () => {
  const random = seeded(testSeed());
  const files = recordings();
  const any = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)];
  for (let at = 0; at < countRounds(200, 6000); at += 1) {
    const [row, file] = [any(rows), any(files)];
    if (row && file) await isReadInShortTurns(row, mutated(file, random));
  }
});
