/** Programs that keep writing while something is copied, and report into a file: a pipe that is not read in time would block them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const folder = fileURLToPath(new URL('../../testdata/', import.meta.url));

interface Writer {
  /** The last number that it reported as written; 0: none yet. */
  reported(): Promise<number>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Repeatedly writes two records of a journal that belong together. */
export function startJournalWriter(journal: string): Promise<Writer> {
  return start(process.execPath, [join(folder, 'write-journal.mjs'), journal]);
}

/** Repeatedly writes two tables of a SQLite database that belong together. */
export function startDatabaseWriter(database: string, mode: 'wal' | 'delete'): Promise<Writer> {
  return start(process.execPath, [join(folder, 'write-database.mjs'), database, mode]);
}

/** Whether a copy of that database is complete, the last number of each table, and the number of rows of one. */
export function lookInto(path: string) {
  const database = new DatabaseSync(path);
  try {
    const get = (query: string) => Object.values(database.prepare(query).get() ?? {})[0];
    return {
      integrity: get('pragma integrity_check'),
      a: Number(get('select max(number) from a')),
      b: Number(get('select max(number) from b')),
      rows: Number(get('select count(*) from a')),
    };
  } finally {
    database.close();
  }
}

async function start(command: string, args: string[]): Promise<Writer> {
  const parent = await mkdtemp(join(tmpdir(), 'skolo-writer-'));
  const report = join(parent, 'report');
  const output = await open(report, 'w');
  const child = spawn(command, args, { stdio: ['ignore', output.fd, 'inherit'] });
  const ended = once(child, 'close');
  await output.close();
  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await ended;
  }
  onTestFinished(async () => {
    await kill();
    await rm(parent, { recursive: true });
  });
  async function reported(): Promise<number> {
    const lines = (await readFile(report, 'utf8')).split('\n');
    return Number(lines.at(-2) ?? 0);
  }
  return { reported, kill };
}
