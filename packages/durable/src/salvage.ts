/**
 * Opens a damaged database: what can be read goes into a new one that takes its place, and the damaged one is kept
 * beside it.
 *
 * LevelDB's own repair is not used: it takes a log's records without looking at their checksums, so that half a
 * change, or garbage, becomes a record.
 */
import { readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './atomic-file.ts';
import { causeCode, type Level, openLevel, refuseIfLocked } from './level.ts';
import { examineDatabase } from './leveldb/database.ts';
import type { Entry } from './leveldb/entry.ts';
import { makeFolder } from './make-folder.ts';
import { decodeRecord, lastBatchKey, numberOfBatch } from './record.ts';
import { systemCode } from './system-error.ts';

export interface Opened {
  level: Level;
  /** What happened to a database that was damaged, for people. */
  recovered: string | undefined;
  /** Number of the newest batch. */
  batch: number;
}

/**
 * @param acknowledged number of a batch that is known to have been acknowledged; 0: none is known
 * @throws Error Of LevelDB or the system.
 */
export async function openSalvaged(folder: string, acknowledged: number): Promise<Opened> {
  const finished = await finishSalvage(folder);
  await makeFolder(folder);
  let newest: Entry | undefined;
  const { problems, cutShort } = await examineDatabase(folder, (entry) => {
    if (entry.key.toString() !== lastBatchKey) return;
    if (newest === undefined || newest.sequence < entry.sequence) newest = entry;
  });
  const found = numberOfBatch(newest?.value);
  const batch = Math.max(acknowledged, found ?? 0);
  // Of a batch without a number, which an older version wrote, nothing is known.
  const missing = found === undefined ? 0 : acknowledged - found;
  if (missing > 0) {
    problems.push(`${missing} acknowledged ${missing === 1 ? 'write is' : 'writes are'} missing`);
  }
  if (problems.length === 0) {
    try {
      const level = await openLevel(folder);
      return { level, recovered: finished ?? incompleteChange(folder, cutShort), batch };
    } catch (error) {
      if (causeCode(error) !== 'LEVEL_CORRUPTION') throw error;
      problems.push('LevelDB cannot open it');
    }
  }
  const recovered = await salvage(folder, problems, batch);
  return { level: await openLevel(folder), recovered, batch };
}

/** The damaged folder stays as it is until the new one is complete. */
async function salvage(folder: string, problems: string[], batch: number): Promise<string> {
  const kept = `${folder}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  await refuseIfLocked(folder);
  const fresh = await openLevel(`${folder}.salvaging`);
  let count: number;
  try {
    // Again, since another process may have done the same meanwhile; from now on the new one's lock keeps it out.
    await refuseIfLocked(folder);
    await fresh.clear();
    count = await fill(fresh, folder, batch);
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
async function fill(fresh: Level, folder: string, batch: number): Promise<number> {
  const newest = new Map<string, Entry>();
  await examineDatabase(folder, (entry) => {
    const key = entry.key.toString('utf8');
    const known = newest.get(key);
    if (!known || known.sequence < entry.sequence) newest.set(key, entry);
  });
  const records = [...newest].flatMap(([key, { value }]) =>
    value && decodeRecord(key, value) ? [{ type: 'put' as const, key, value }] : [],
  );
  const last = { type: 'put' as const, key: lastBatchKey, value: Buffer.from(`salvaged ${batch}`) };
  await fresh.batch([...records, last], { sync: true });
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
