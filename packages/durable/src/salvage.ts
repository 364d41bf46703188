/**
 * Opens a damaged database: what can be read goes into a new one that takes its place, and the damaged one is kept
 * beside it.
 *
 * LevelDB's own repair is not used: it takes a log's records without looking at their checksums, so that half a
 * change, or garbage, becomes a record.
 */
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './atomic-file.ts';
import { causeCode, type Level, openLevel, refuseIfLocked } from './level.ts';
import { examineDatabase } from './leveldb/database.ts';
import type { Entry } from './leveldb/entry.ts';
import { decodeRecord } from './record.ts';
import { systemCode } from './system-error.ts';

export interface Opened {
  level: Level;
  /** What happened to a database that was damaged, for people. */
  recovered: string | undefined;
}

/** @throws Error Of LevelDB or the system. */
export async function openSalvaged(folder: string): Promise<Opened> {
  const finished = await finishSalvage(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { problems, cutShort } = await examineDatabase(folder);
  if (problems.length === 0) {
    try {
      const level = await openLevel(folder);
      return { level, recovered: finished ?? incompleteChange(folder, cutShort) };
    } catch (error) {
      if (causeCode(error) !== 'LEVEL_CORRUPTION') throw error;
      problems.push('LevelDB cannot open it');
    }
  }
  const recovered = await salvage(folder, problems);
  return { level: await openLevel(folder), recovered };
}

/** The damaged folder stays as it is until the new one is complete. */
async function salvage(folder: string, problems: string[]): Promise<string> {
  const kept = `${folder}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  await refuseIfLocked(folder);
  const fresh = await openLevel(`${folder}.salvaging`);
  let count: number;
  try {
    // Again, since another process may have done the same meanwhile; from now on the new one's lock keeps it out.
    await refuseIfLocked(folder);
    await fresh.clear();
    count = await fill(fresh, folder);
    await rename(folder, kept);
    await rename(`${folder}.salvaging`, folder);
    await syncFolder(dirname(folder));
  } finally {
    await fresh.close();
  }
  const saved = count === 1 ? '1 record was saved' : `${count} records were saved`;
  return `${folder} was damaged (${problems.join(', ')}): ${saved}, the damaged files are in ${kept}`;
}

/** @returns How many records it has now. */
async function fill(fresh: Level, folder: string): Promise<number> {
  const newest = new Map<string, Entry>();
  await examineDatabase(folder, (entry) => {
    const key = entry.key.toString('utf8');
    const known = newest.get(key);
    if (!known || known.sequence < entry.sequence) newest.set(key, entry);
  });
  const records = [...newest].flatMap(([key, { value }]) =>
    value && decodeRecord(key, value) ? [{ type: 'put' as const, key, value }] : [],
  );
  const mark = { type: 'put' as const, key: '\0salvaged', value: Buffer.from(`${records.length}`) };
  await fresh.batch([...records, mark], { sync: true });
  return records.length;
}

function incompleteChange(folder: string, cutShort: string[]): string | undefined {
  if (cutShort.length === 0) return undefined;
  return `${folder}: the last change was not written to its end, and is not there: the power was cut or the process killed, or ${cutShort.join(', ')} lost its end`;
}

/** A process died between the two renames. */
async function finishSalvage(folder: string): Promise<string | undefined> {
  if ((await isThere(folder)) || !(await isThere(`${folder}.salvaging`))) return undefined;
  await rename(`${folder}.salvaging`, folder);
  await syncFolder(dirname(folder));
  const names = await readdir(dirname(folder));
  const kept = names.filter((name) => name.startsWith(`${basename(folder)}.damaged-`)).sort();
  const last = kept.at(-1) ?? 'a folder that is gone';
  return `${folder} was damaged: what could be saved was, the damaged files are in ${join(dirname(folder), last)}`;
}

async function isThere(path: string) {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
