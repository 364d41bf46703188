/**
 * A SQLite database that somebody may be writing to (k3s keeps its cluster in one), as it is at one moment, with the
 * transactions that its log holds.
 *
 * In WAL mode (https://sqlite.org/walformat.html) transactions are appended to `-wal`, and a checkpoint only copies pages from
 * there into the database. As long as the log is not begun anew, which changes the salts of its header, whatever a checkpoint
 * does to the database while that is copied is in the log as well, and is read from there. So: the header of the log, the
 * database, the log, and the header again, which must be the same. In the other modes the database itself is written to, with
 * what it was before in `-journal`: both must not change while they are copied. A log that ends within a transaction ends
 * before it. `-shm` is an index of the log that SQLite makes anew.
 *
 * To be quick, and to be able to begin anew, what was copied lies in the folder for a moment, sealed.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pause } from '@skolo/common';
import { SealedFile } from './sealed-file.ts';

export interface DatabaseFile {
  /** Behind the name of the database: empty, `-wal` or `-journal`. */
  suffix: '' | '-wal' | '-journal';
  size: number;
  stream(): Readable;
}

export interface DatabaseCopy {
  files: DatabaseFile[];
  remove(): Promise<void>;
}

export interface DatabaseCopyOptions {
  /** Where there is room for as much again. */
  folder: string;
  signal: AbortSignal;
  tries?: number;
}

/** It was written to faster than it could be copied. */
export class DatabaseBusy extends Error {}

const magic = Buffer.from('SQLite format 3\0');
/** Of the database: version numbers, size of a page, change counter. */
const headerSize = 100;
/** Of the log: salts, and how often it was begun anew. */
const logHeaderSize = 32;

export function isDatabase(firstBytes: Buffer): boolean {
  return firstBytes.subarray(0, magic.length).equals(magic);
}

/** @throws DatabaseBusy; Error of the system, or the reason of the signal. Nothing is left then. */
export async function copyDatabase(
  path: string,
  { folder, signal, tries = 20 }: DatabaseCopyOptions,
): Promise<DatabaseCopy> {
  for (let count = 1; count <= tries; count += 1) {
    const copied = new Map<DatabaseFile['suffix'], SealedFile>();
    const remove = async () => {
      for (const file of copied.values()) await file.remove();
    };
    try {
      const before = await lookAt(path);
      copied.set('', await sealed(path, { folder, signal }));
      for (const suffix of ['-wal', '-journal'] as const) {
        if (before[suffix] !== undefined) {
          copied.set(suffix, await sealed(path + suffix, { folder, signal }));
        }
      }
      if (isSame(before, await lookAt(path))) {
        const files = [...copied].map(([suffix, file]) => ({
          suffix,
          size: file.size,
          stream: () => file.stream(),
        }));
        return { files, remove };
      }
      await remove();
    } catch (error) {
      await remove();
      // A log that went away while the database was closed.
      if (!isMissing(error) || (await stat(path).catch(() => undefined)) === undefined) throw error;
    }
    await pause(Math.min(200, 20 * count), signal);
  }
  throw new DatabaseBusy('it is written to all the time, and could not be copied as a whole');
}

/** What must not change while it is copied, as text. */
interface Look {
  isWal: boolean;
  main: string;
  '-wal': string | undefined;
  '-journal': string | undefined;
}

async function lookAt(path: string): Promise<Look> {
  const header = await firstBytes(path, headerSize);
  const { size, mtimeNs, ino } = await stat(path, { bigint: true });
  const wal = await firstBytes(`${path}-wal`, logHeaderSize).catch(unlessMissing);
  const journal = await stat(`${path}-journal`, { bigint: true }).catch(unlessMissing);
  return {
    // Offsets 18 and 19: 2 where WAL is used.
    isWal: header[18] === 2 && header[19] === 2,
    main: `${ino} ${size} ${mtimeNs} ${header.toString('hex')}`,
    '-wal': wal && wal.length === logHeaderSize ? wal.toString('hex') : undefined,
    '-journal':
      journal && journal.size > 0n
        ? `${journal.ino} ${journal.size} ${journal.mtimeNs}`
        : undefined,
  };
}

function isSame(before: Look, after: Look): boolean {
  if (before['-wal'] !== after['-wal'] || before['-journal'] !== after['-journal']) return false;
  // With a log, a checkpoint may have changed the database: what it changed is in the log.
  if (before.isWal && before['-wal'] !== undefined) return after.isWal;
  return before.main === after.main;
}

/** The whole file as long as it is when it is opened, or what is there of it. */
async function sealed(path: string, options: { folder: string; signal: AbortSignal }) {
  const { size } = await stat(path);
  return SealedFile.from(
    size === 0 ? nothing() : createReadStream(path, { end: size - 1, highWaterMark: 1024 * 1024 }),
    options,
  );
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function firstBytes(path: string, length: number): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle?.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
