/** A closed database's files, read without LevelDB and without changing them: are they whole, and what is in them? */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../system-error.ts';
import { type Entry, entriesOfBatch } from './entry.ts';
import { readLog } from './log.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { readTable } from './table.ts';

/** A few words for each file. */
export interface Findings {
  /** What is damaged or missing. None for a database that is whole, or that is not there at all. */
  problems: string[];
  /** Logs whose last record is not complete: no damage, but a power cut or a kill; or a file that lost its end. */
  cutShort: string[];
}

/**
 * Visits every version of every key that can be read. Where the manifest is whole, it says which tables and logs
 * count; otherwise all do.
 *
 * @throws Error A file may not be read. One that the disk cannot read is a problem like others.
 */
export async function examineDatabase(
  folder: string,
  visit: (entry: Entry) => void = () => undefined,
): Promise<Findings> {
  const problems: string[] = [];
  const cutShort: string[] = [];
  const names = await readdir(folder);
  const tables = numbered(names, /^(\d+)\.ldb$/);
  const logs = numbered(names, /^(\d+)\.log$/);
  // LevelDB makes a manifest first, then CURRENT, then a log: without one there is nothing to lose.
  if (tables.size + logs.size === 0 && !names.includes('CURRENT')) return { problems, cutShort };

  const manifest = await currentManifest(folder, names, problems);

  for (const number of manifest?.tables.keys() ?? tables.keys()) {
    const name = tables.get(number);
    const bytes = name && (await readIfPossible(folder, name, problems));
    if (!name) problems.push(`table ${number} is missing`);
    if (!name || !bytes) continue;
    const table = readTable(bytes);
    if (table.damagedBlocks > 0) problems.push(`${name}: ${table.damagedBlocks} damaged blocks`);
    for (const entry of table.entries) visit(entry);
  }

  if (manifest && manifest.firstLog > 0 && !logs.has(manifest.firstLog)) {
    problems.push(`log ${manifest.firstLog} is missing`);
  }
  for (const [number, name] of logs) {
    if (number < (manifest?.firstLog ?? 0)) continue;
    const bytes = await readIfPossible(folder, name, problems);
    if (!bytes) continue;
    const { records, damagedBytes, isCutShort } = readLog(bytes);
    if (isCutShort) cutShort.push(name);
    if (damagedBytes > 0) problems.push(`${name}: ${damagedBytes} damaged bytes`);
    for (const { payload } of records) {
      try {
        for (const entry of entriesOfBatch(payload)) visit(entry);
      } catch {
        problems.push(`${name}: an unreadable record`);
      }
    }
  }
  return { problems, cutShort };
}

async function currentManifest(
  folder: string,
  names: string[],
  problems: string[],
): Promise<Manifest | undefined> {
  if (!names.includes('CURRENT')) {
    problems.push('CURRENT is missing');
    return undefined;
  }
  const current = (await readIfPossible(folder, 'CURRENT', problems))?.toString('latin1') ?? '';
  const name = /^(MANIFEST-\d+)\n$/.exec(current)?.[1];
  if (name === undefined || !names.includes(name)) {
    problems.push('CURRENT names no manifest');
    return undefined;
  }
  const bytes = await readIfPossible(folder, name, problems);
  if (!bytes) return undefined;
  const { records, isCutShort, damagedBytes } = readLog(bytes);
  // What is missing may be the record of a table that LevelDB would then delete as nobody's.
  if (isCutShort || damagedBytes > 0 || records.length === 0) {
    problems.push(`${name} is damaged`);
    return undefined;
  }
  try {
    return readManifest(records.map(({ payload }) => payload));
  } catch {
    problems.push(`${name} has an unreadable record`);
    return undefined;
  }
}

/** Names by number, in the numbers' order. */
function numbered(names: string[], pattern: RegExp): Map<number, string> {
  const found = names.flatMap((name): [number, string][] => {
    const digits = pattern.exec(name)?.[1];
    return digits === undefined ? [] : [[Number(digits), name]];
  });
  return new Map(found.sort(([left], [right]) => left - right));
}

async function readIfPossible(folder: string, name: string, problems: string[]) {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    const code = systemCode(error);
    if (!['EIO', 'ENOENT', 'EISDIR'].includes(code)) throw error;
    problems.push(`${name} cannot be read (${code})`);
    return undefined;
  }
}
