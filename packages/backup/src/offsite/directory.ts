/**
 * A directory on other storage: a mounted disk, a share.
 *
 * Each object is a file, whose time is when the configuration was read. A marker file distinguishes the directory from an empty mount
 * point.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode, ifThere } from '@skolo/base';
import { syncFolder, writeFileAtomic } from '@skolo/base/durable';
import { BackupError } from '@skolo/equipment/models/configuration';
import { inWords } from '../git/storage-error.ts';
import { Patience } from './patience.ts';
import {
  type ObjectAbout,
  type OffsitePlace,
  type StoredObject,
  withBackupErrors,
} from './place.ts';

interface DirectoryOptions {
  /** Whether objects were stored in it before: then the marker must exist, or the disk is not mounted. */
  isKnown?: () => boolean;
  /** Timeout without a response; default one minute. */
  patienceMs?: number;
}

export const markName = '.skolo-backups';
const markText =
  "This directory contains copies of a rack's configurations, written by skolo's router-backup.\n";
const pieceSize = 1 << 20;

export function directoryPlace(
  folder: string,
  { isKnown = () => false, patienceMs = 60_000 }: DirectoryOptions = {},
): OffsitePlace {
  const patience = new Patience(folder, patienceMs);

  async function put(name: string, file: string, about: ObjectAbout, signal: AbortSignal) {
    const step: Step = (work, late) => patience.for(work, signal, late);
    const target = pathOf(name);
    await checkMark(step);
    // Always the same name, so that the leftovers of a killed process are overwritten.
    const half = join(folder, `.${name}.part`);
    try {
      const { size, sum } = await copy(file, half, new Date(about.time), step);
      const found = await sumOf(half, step);
      if (found.size !== size || found.sum !== sum) {
        throw new BackupError(
          'damaged',
          `${folder}: the content of ${name} differs from what was written; check the disk`,
        );
      }
      await step(() => rename(half, target));
      await step(() => syncFolder(folder));
    } catch (error) {
      await step(() => rm(half, { force: true })).catch(() => undefined);
      throw error;
    }
  }

  async function checkMark(step: Step) {
    const mark = join(folder, markName);
    if (await step(() => isThere(mark))) return;
    await step(() => readdir(folder));
    if (isKnown()) {
      throw new BackupError(
        'unreachable',
        `${folder}: the marker file ${markName} is missing, although copies were stored here before; check that the disk is mounted. If the disk is new, run: touch ${mark}`,
      );
    }
    await step(() => writeFileAtomic(mark, markText, { mode: 0o644 }));
  }

  async function list(signal: AbortSignal): Promise<StoredObject[]> {
    const step: Step = (work, late) => patience.for(work, signal, late);
    const entries = await step(() => readdir(folder, { withFileTypes: true }));
    const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
    const objects: StoredObject[] = [];
    for (const name of files.map((file) => file.name).sort()) {
      const about = await step(() => ifThere(stat(join(folder, name))));
      if (about) objects.push({ name, size: about.size, time: about.mtime.toISOString() });
    }
    return objects;
  }

  async function* read(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const step: Step = (work, late) => patience.for(work, signal, late);
    try {
      yield* pieces(pathOf(name), step);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      throw new BackupError('not-found', `${folder}: ${name} does not exist`, { cause: error });
    }
  }

  async function remove(name: string, signal: AbortSignal): Promise<void> {
    await patience.for(() => rm(pathOf(name), { force: true }), signal);
    await patience.for(() => syncFolder(folder), signal);
  }

  function pathOf(name: string) {
    if (name === '' || name !== basename(name) || name.startsWith('.')) {
      throw new BackupError(
        'not-found',
        `${folder}: ${JSON.stringify(name)} is not a valid file name`,
      );
    }
    return join(folder, name);
  }

  return withBackupErrors({ url: folder, put, list, read, remove }, asBackupError);
}

/** As `Patience.for`. */
type Step = <T>(work: () => Promise<T>, late?: (result: T) => unknown) => Promise<T>;

interface Sum {
  size: number;
  sum: string;
}

/** Durable when fulfilled. */
async function copy(from: string, to: string, time: Date, step: Step): Promise<Sum> {
  const target = await step(() => open(to, 'w', 0o600), closed);
  try {
    const sum = await eachPiece(from, step, (piece) => step(() => target.writeFile(piece)));
    await step(() => target.utimes(time, time));
    await step(() => target.sync());
    return sum;
  } finally {
    await close(target, step);
  }
}

async function sumOf(file: string, step: Step): Promise<Sum> {
  return await eachPiece(file, step, async () => undefined);
}

async function eachPiece(
  file: string,
  step: Step,
  use: (piece: Buffer) => Promise<void>,
): Promise<Sum> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of pieces(file, step)) {
    hash.update(piece);
    size += piece.length;
    await use(piece);
  }
  return { size, sum: hash.digest('hex') };
}

async function* pieces(file: string, step: Step): AsyncGenerator<Buffer> {
  const source = await step(() => open(file, 'r'), closed);
  try {
    for (;;) {
      const { bytesRead, buffer } = await step(() => source.read(Buffer.alloc(pieceSize)));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await close(source, step);
  }
}

/** A file that is opened too late. */
const closed = (handle: FileHandle) => handle.close();

/** Errors do not matter: the written data is already synced. */
async function close(handle: FileHandle, step: Step) {
  const closing = handle.close().catch(() => undefined);
  await step(() => closing).catch(() => undefined);
}

async function isThere(path: string) {
  return (await ifThere(stat(path))) !== undefined;
}

/** Errors of an unmounted disk, or of a server that is down. */
const unreachable = ['ENOENT', 'ENOTDIR', 'EIO', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'ENODEV'];
const rejected = ['EACCES', 'EPERM', 'EROFS'];

function asBackupError(folder: string, error: unknown): BackupError {
  const code = errorCode(error) ?? 'unknown';
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new BackupError(
      'unreachable',
      `${folder}: the directory does not exist; check that the disk is mounted`,
      { cause: error },
    );
  }
  if (unreachable.includes(code)) {
    return new BackupError('unreachable', `${folder}: ${inWords(error)}`, { cause: error });
  }
  const kind = rejected.includes(code) ? 'rejected' : 'storage';
  return new BackupError(kind, `${folder}: ${inWords(error)}`, { cause: error });
}
