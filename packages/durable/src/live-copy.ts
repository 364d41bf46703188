/**
 * The files of a journal that somebody may be writing to, as they belong together, without asking him and without
 * touching them: for a backup of it.
 *
 * LevelDB (1.20, doc/impl.md, db/db_impl.cc) writes tables once and never again, appends to logs and to the manifest, syncs a
 * table before the manifest names it, and deletes a log or a table only after the manifest has done without it. So, in
 * this order: CURRENT, the manifest that it names, then the tables that this one names, held open so that they stay
 * readable when they are deleted, then the logs from the one that it names, each cut behind its last whole record. Whatever is
 * written meanwhile, that is the database as it was at one moment, and everything is in it that had been synced when the
 * copy began. Where a file is gone before it could be opened, the manifest is older than that; then from the beginning.
 */
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLog } from './leveldb/log.ts';
import { type Manifest, readManifest } from './leveldb/manifest.ts';
import { systemCode } from './system-error.ts';

export interface LiveFile {
  name: string;
  size: number;
  /** Exactly `size` bytes. Once, and before the copy is closed. */
  stream(): Readable;
}

export interface LiveCopy {
  files: LiveFile[];
  /** For people: what is damaged; the files are as they are then. */
  damage?: string;
  /** Files are held open until then. */
  close(): Promise<void>;
}

export interface LiveCopyOptions {
  signal?: AbortSignal;
  /** How often it is begun anew when files go away too fast. */
  tries?: number;
}

/**
 * The journal of that folder; undefined where it is none.
 *
 * @throws Error Of the system: a file may not be read. Of the signal: its reason.
 */
export async function copyLive(
  folder: string,
  { signal, tries = 20 }: LiveCopyOptions = {},
): Promise<LiveCopy | undefined> {
  const pauseMs = 20;
  for (let left = tries; ; left -= 1) {
    signal?.throwIfAborted();
    const names = await readdir(folder);
    if (!names.includes('CURRENT') && !names.some((name) => manifestName.test(name))) {
      return undefined;
    }
    const copy = new Copy(folder);
    try {
      await copy.take();
      return copy;
    } catch (error) {
      await copy.close();
      if (!(error instanceof NotWhole)) throw error;
      if (left <= 1) return asItIs(folder, error.message);
    }
    await sleep(pauseMs, undefined, signal ? { signal } : {});
  }
}

/** A file that is not there, or not yet what it will be. */
class NotWhole extends Error {}

const manifestName = /^MANIFEST-\d+$/;
const partOfIt = /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/;
/** LevelDB begins another log after a megabyte; what is larger is taken as it is. */
const largestLog = 64 * 1024 * 1024;

class Copy implements LiveCopy {
  readonly files: LiveFile[] = [];
  private readonly folder: string;
  private readonly handles: FileHandle[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws NotWhole */
  async take(): Promise<void> {
    const current = await this.read('CURRENT');
    const name = /^(MANIFEST-\d+)\n$/.exec(current.toString('latin1'))?.[1];
    if (name === undefined) throw new NotWhole('CURRENT names no manifest');
    const { bytes, manifest } = await this.manifest(name);
    this.add('CURRENT', current);
    this.add(name, bytes);
    // Not before the manifest was read: a log that it names is there now, or was deleted since.
    const names = await readdir(this.folder);
    const tables = byNumber(names, /^(\d+)\.(?:ldb|sst)$/);
    for (const [number, size] of manifest.tables) {
      await this.addTable(tables.get(number) ?? missing(`table ${number}`), size);
    }
    const logs = byNumber(names, /^(\d+)\.log$/);
    if (manifest.firstLog > 0 && !logs.has(manifest.firstLog)) missing(`log ${manifest.firstLog}`);
    for (const [number, log] of logs) {
      if (number >= manifest.firstLog) await this.addLog(log);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.handles.splice(0).map((handle) => handle.close()));
  }

  /** Every file that belongs to it, as long as it is now. */
  async takeAll(): Promise<void> {
    for (const name of (await readdir(this.folder)).filter((each) => partOfIt.test(each))) {
      const handle = await this.open(name).catch(unlessNotWhole);
      if (handle) this.addHandle(name, handle, (await handle.stat()).size);
    }
  }

  private async manifest(name: string): Promise<{ bytes: Buffer; manifest: Manifest }> {
    const all = await this.read(name);
    const { records, end, damagedBytes } = readLog(all);
    if (damagedBytes > 0 || records.length === 0) throw new NotWhole(`${name} is damaged`);
    try {
      const manifest = readManifest(records.map(({ payload }) => payload));
      return { bytes: all.subarray(0, end), manifest };
    } catch {
      throw new NotWhole(`${name} has an unreadable record`);
    }
  }

  private async addTable(name: string, size: number): Promise<void> {
    const handle = await this.open(name);
    const { size: found } = await handle.stat();
    if (found !== size) throw new NotWhole(`${name} has ${found} bytes, not ${size}`);
    this.addHandle(name, handle, size);
  }

  private async addLog(name: string): Promise<void> {
    const handle = await this.open(name);
    const { size } = await handle.stat();
    if (size > largestLog) {
      this.addHandle(name, handle, size);
      return;
    }
    const { bytes, end, damagedBytes } = await readWhole(handle, size);
    // Its end may have been cut off and written anew while it was read.
    if (damagedBytes > 0) throw new NotWhole(`${name} has ${damagedBytes} damaged bytes`);
    this.add(name, bytes.subarray(0, end));
  }

  private async read(name: string): Promise<Buffer> {
    return readFile(join(this.folder, name)).catch(notThere(name));
  }

  private async open(name: string): Promise<FileHandle> {
    const handle = await open(join(this.folder, name), 'r').catch(notThere(name));
    this.handles.push(handle);
    return handle;
  }

  private add(name: string, bytes: Buffer): void {
    this.files.push({ name, size: bytes.length, stream: () => Readable.from([bytes]) });
  }

  private addHandle(name: string, handle: FileHandle, size: number): void {
    const stream = () =>
      size === 0
        ? Readable.from([])
        : handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
    this.files.push({ name, size, stream });
  }
}

async function asItIs(folder: string, damage: string): Promise<LiveCopy> {
  const copy = new Copy(folder);
  try {
    await copy.takeAll();
  } catch (error) {
    await copy.close();
    throw error;
  }
  return { files: copy.files, damage, close: () => copy.close() };
}

async function readWhole(handle: FileHandle, size: number) {
  const buffer = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const bytes = buffer.subarray(0, length);
  return { bytes, ...readLog(bytes) };
}

/** In the order of the numbers. */
function byNumber(names: string[], pattern: RegExp): Map<number, string> {
  const found = names.flatMap((name): [number, string][] => {
    const digits = pattern.exec(name)?.[1];
    return digits === undefined ? [] : [[Number(digits), name]];
  });
  return new Map(found.sort(([left], [right]) => left - right));
}

function missing(what: string): never {
  throw new NotWhole(`${what} is missing`);
}

function notThere(name: string) {
  return (error: unknown): never => {
    if (systemCode(error) === 'ENOENT') missing(name);
    throw error;
  };
}

function unlessNotWhole(error: unknown): undefined {
  if (!(error instanceof NotWhole)) throw error;
}
