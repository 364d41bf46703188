/**
 * The history's database: Node's SQLite, with a write-ahead log (WAL). A damaged one is set aside. None of its content was acknowledged
 * to anybody, so it only syncs at checkpoints, and a power cut costs the last seconds. A jumphost backup copies it with SQLite itself.
 *
 * Rows are ordered by day or hour, and then by machine: simultaneous writes touch few pages, days are deleted as a whole, and a machine's
 * day is one range.
 */
import { existsSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { errorText, NamedError } from '@skolo/base';

const busyMs = 2000;
const version = 1;

/** Kinds of entries by their number in the database. Only append. */
export const kinds = [
  'condition',
  'task',
  'cycle',
  'repair',
  'hold',
  'alert',
  'boot',
  'omitted',
  'would-have',
  'service',
  'rack-file',
  'rollout',
] as const;
export type StoredKind = (typeof kinds)[number];

const schema = `
CREATE TABLE IF NOT EXISTS names (
  id INTEGER PRIMARY KEY,
  machine TEXT NOT NULL,
  device TEXT NOT NULL, -- '' is the machine itself
  used INTEGER NOT NULL DEFAULT 0, -- hour of its last curve; 0: none yet
  UNIQUE (machine, device)
);
CREATE TABLE IF NOT EXISTS standings (
  machine INTEGER PRIMARY KEY,
  condition TEXT NOT NULL,
  since INTEGER NOT NULL,
  seen INTEGER
);
CREATE TABLE IF NOT EXISTS entries (
  day INTEGER NOT NULL,
  machine INTEGER NOT NULL,
  at INTEGER NOT NULL, -- milliseconds since 1970
  n INTEGER NOT NULL, -- of several at that time
  kind INTEGER NOT NULL,
  device TEXT,
  key TEXT,
  ended INTEGER,
  outcome TEXT,
  data TEXT,
  PRIMARY KEY (day, machine, at, n)
) WITHOUT ROWID;
-- Tasks, cycles, holds and alerts that have not ended.
CREATE INDEX IF NOT EXISTS open ON entries (machine) WHERE ended IS NULL AND kind IN (1, 2, 4, 5);
CREATE TABLE IF NOT EXISTS silences (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  ended INTEGER,
  data TEXT NOT NULL -- as JSON
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS silences_of ON silences (json_extract(data, '$.machine'), at);
CREATE TABLE IF NOT EXISTS curves (
  hour INTEGER NOT NULL,
  device INTEGER NOT NULL,
  points BLOB NOT NULL,
  PRIMARY KEY (hour, device)
) WITHOUT ROWID;
PRAGMA user_version = ${version};
`;

/** It is damaged: it cannot be read, and waiting does not help. */
export class HistoryUnusable extends NamedError {
  constructor(file: string, why: string, options?: ErrorOptions) {
    super(`${file}: ${why}`, options);
  }
}

/** @throws HistoryUnusable @throws Error A disk error, or the database is of a newer version and stays unchanged. */
export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyMs });
  try {
    const found = database.prepare('PRAGMA user_version').get()?.user_version;
    if (typeof found === 'number' && found > version) {
      throw new Error(
        `${file} has schema version ${found}, but this service supports only ${version}; install the newer version of the service again, or move the file elsewhere to start a new history`,
      );
    }
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const [check] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
    if (check !== 'ok') throw new HistoryUnusable(file, String(check));
    database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw isDamage(error) ? new HistoryUnusable(file, errorText(error), { cause: error }) : error;
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, https://sqlite.org/rescode.html. The first byte is the primary code. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && [11, 26].includes(error.errcode & 0xff);
}

/** Keeps it under another name, for anyone who wants to read the rest. */
export function setAside(file: string): string {
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const part of ['', '-wal', '-shm']) {
    if (existsSync(file + part)) renameSync(file + part, aside + part);
  }
  return aside;
}
