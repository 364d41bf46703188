/** Programs that go on writing while something is copied, and report into a file: a pipe that is not read in time would hold them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../testdata/', import.meta.url));

export interface Writer {
  /** The last number that it has reported as written; 0: none yet. */
  reported(): Promise<number>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Two records of a journal that belong together, again and again. */
export function startJournalWriter(journal: string): Promise<Writer> {
  return start(process.execPath, [join(folder, 'write-journal.mjs'), journal]);
}

/** Two tables of a SQLite database that belong together. */
export function startDatabaseWriter(
  python: string,
  database: string,
  mode: 'wal' | 'delete',
): Promise<Writer> {
  return start(python, [join(folder, 'write-database.py'), database, mode]);
}

/** A Python that knows SQLite; undefined where there is none. */
export async function findPython(): Promise<string | undefined> {
  for (const python of ['/usr/bin/python3', 'python3']) {
    const found = await run(python, ['-c', 'import sqlite3']).catch(() => undefined);
    if (found) return python;
  }
  return undefined;
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
