/**
 * Migrates the state of version 0.1 from LevelDB to a journal. To be deleted in the next minor version, with `leveldb.ts`,
 * `testdata/leveldb` and their test: an update from 0.1 then needs this version first.
 *
 * Writes the snapshot of the new journal next to LevelDB's files, as one atomic file. Only then moves these to
 * `FOLDER.leveldb`, where they stay. A crash at any moment leaves one of the two.
 */
import { readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { markOf, readMark } from './acknowledged-mark.ts';
import { syncFolder } from './atomic-file.ts';
import { readLevelDb } from './leveldb.ts';
import { makeFolder } from './make-folder.ts';
import { snapshotName, writeSnapshot } from './snapshots.ts';
import { lock } from './spool/lock.ts';

const levelFile = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(log|ldb|dbtmp)|room\.tmp)$/;
/** Internal: number of the last change. */
const lastBatchKey = '\0batch';

/**
 * @returns a description of damage and recovered records
 * @throws Error Of the system; with the code `LOCKED` while a process of version 0.1 has the folder open.
 */
export async function migrateLevelDb(folder: string): Promise<string | undefined> {
  const names = await readdir(folder);
  const hasSnapshot = names.includes(snapshotName);
  const source = await sourceOf(folder, names);
  const [acknowledged = 0, ...others] = (await readMark(markOf(folder))) ?? [];
  const isMarkOfLevelDb = acknowledged > 0 && others.length === 0;
  if (source.files.length === 0 && (hasSnapshot || !isMarkOfLevelDb)) return undefined;
  const unlock = await lock(join(source.folder, 'LOCK'));
  try {
    const recovered = hasSnapshot
      ? undefined
      : await migrate(folder, source, isMarkOfLevelDb ? acknowledged : 0);
    await moveAway(folder, source);
    return recovered;
  } finally {
    unlock();
  }
}

interface Source {
  folder: string;
  files: string[];
  problems: string[];
}

async function sourceOf(folder: string, names: string[]): Promise<Source> {
  const files = names.filter((name) => levelFile.test(name));
  const salvaged = `${folder}.salvaging`;
  const saved = await readdir(salvaged).catch(() => []);
  const isSaved = !names.includes(snapshotName) && !files.includes('CURRENT') && saved.length > 0;
  if (!isSaved || files.some((name) => name !== 'LOCK')) return { folder, files, problems: [] };
  // Version 0.1 died after moving the damaged folder, before replacing it.
  const problems = ['version 0.1 set the damaged files aside'];
  return { folder: salvaged, files: saved.filter((name) => levelFile.test(name)), problems };
}

async function migrate(
  folder: string,
  source: Source,
  acknowledged: number,
): Promise<string | undefined> {
  const { records, problems: found, isCutShort } = await readLevelDb(source.folder);
  const problems = [...source.problems, ...found];
  const batch = numberOfBatch(records.get(lastBatchKey));
  records.delete(lastBatchKey);
  // An older version wrote batches without a number.
  const missing = batch === undefined ? 0 : acknowledged - batch;
  if (missing > 0) {
    problems.push(`${missing} acknowledged ${missing === 1 ? 'write is' : 'writes are'} missing`);
  }
  const texts: string[] = [];
  for (const [key, value] of records) {
    const json = jsonOf(key, value);
    if (json === undefined) problems.push(`the record ${JSON.stringify(key)} is damaged`);
    else texts.push(`[[${JSON.stringify(key)},${json}]]`);
  }
  await writeSnapshot(join(folder, snapshotName), { next: 1, texts });
  if (problems.length > 0) {
    const saved = texts.length === 1 ? '1 record was' : `${texts.length} records were`;
    return `${folder} was damaged (${problems.join(', ')}): ${saved} recovered, the damaged files are in ${folder}.leveldb`;
  }
  if (!isCutShort) return undefined;
  return `${folder}: the last change is incomplete and was dropped: a power cut, a killed process, or a truncated log`;
}

/** A checksum of key and value, a space, the value as JSON. */
function jsonOf(key: string, value: Buffer): string | undefined {
  const text = value.toString();
  const json = text.slice(9);
  const checksum = crc32(json, crc32(key)).toString(16).padStart(8, '0');
  return text.slice(0, 9) === `${checksum} ` ? json : undefined;
}

/** 0 without a batch; undefined for a batch without a number. */
function numberOfBatch(value: Buffer | undefined): number | undefined {
  if (value === undefined) return 0;
  const number = Number(/ (\d+)$/.exec(value.toString())?.[1]);
  return Number.isSafeInteger(number) ? number : undefined;
}

async function moveAway(folder: string, source: Source) {
  const aside = `${folder}.leveldb`;
  await makeFolder(aside);
  for (const name of new Set([...source.files, 'LOCK'])) {
    await rename(join(source.folder, name), join(aside, name));
  }
  for (const each of [aside, folder, dirname(folder)]) await syncFolder(each);
}
