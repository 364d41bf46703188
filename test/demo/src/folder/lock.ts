/** One demo per directory: two would share state directories. */

import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, pause } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable';
import { startOf } from '../processes/process-identity.ts';

/** Who uses the directory: the demo itself, and the guard that may briefly outlive it. */
interface Holder {
  pid: number;
  start: string | undefined;
}

export class AlreadyRunning extends Error {
  readonly code = 'ALREADY_RUNNING';

  constructor(dir: string, pid: number) {
    super(
      `The demo in ${dir} is running already (process ${pid}). Use that one, end it (kill ${pid}), or start another with npm start -- --dir DIR.`,
    );
  }
}

export interface Lock {
  /** The lock lasts at least as long as this process. */
  share(pid: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Locks the directory, which is created if missing. Waits for the leftovers of a killed demo to end.
 *
 * @throws AlreadyRunning
 */
export async function takeLock(dir: string, print: (line: string) => void): Promise<Lock> {
  await makeFolder(dir);
  const path = join(dir, 'lock');
  const own: Holder = { pid: process.pid, start: await startOf(process.pid) };
  const temporary = `${path}.${process.pid}`;
  async function write(holders: Holder[]) {
    await writeFile(temporary, JSON.stringify(holders));
  }

  await write([own]);
  try {
    while (!(await tryLink(temporary, path))) await clearStale(path, { dir, print });
  } finally {
    await rm(temporary);
  }
  return {
    async share(pid) {
      await write([own, { pid, start: await startOf(pid) }]);
      await rename(temporary, path);
    },
    async release() {
      await rm(path, { force: true });
    },
  };
}

/** Atomic: the lock exists with its content, or with that of another process. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function clearStale(
  path: string,
  { dir, print }: { dir: string; print(line: string): void },
): Promise<void> {
  const [demo, ...others] = await holdersOf(path);
  if (demo && (await isAlive(demo))) throw new AlreadyRunning(dir, demo.pid);
  for (const other of others) {
    if (!(await isAlive(other))) continue;
    print('Waiting for what an earlier start left behind to end …');
    while (await isAlive(other)) await pause(100);
  }
  await rm(path, { force: true });
}

async function isAlive({ pid, start }: Holder): Promise<boolean> {
  return start !== undefined && (await startOf(pid)) === start;
}

/** Nobody, if the file is gone meanwhile or not ours. */
async function holdersOf(path: string): Promise<Holder[]> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Array.isArray(content) ? content.filter(isHolder) : [];
  } catch {
    return [];
  }
}

function isHolder(value: unknown): value is Holder {
  return isObject(value) && Number.isInteger(value.pid) && typeof value.start === 'string';
}
