/** Opens the target of an image, a disk that is not in use, or a plain file. */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { errorCode, ifThere } from '@skolo/base';
import { readFully } from '../disk/disk.ts';
import { PiError } from '../errors.ts';
import { alignedBytes } from './aligned.ts';
import { type DiskFacts, diskFacts } from './disk-facts.ts';
import { isSame, type WriteNeeds, whyNotWrite } from './may-write.ts';

export interface Target {
  path: string;
  file: FileHandle;
  /** Undefined: a plain file. */
  disk: DiskFacts | undefined;
}

/** An existing disk; undefined: a plain file, which is empty or does not exist yet. @throws PiError */
export async function findTarget(
  path: string,
  signal: AbortSignal,
): Promise<DiskFacts | undefined> {
  const found = await ifThere(stat(path));
  const isFile = found === undefined || found.isFile();
  // Otherwise a file with the disk's name would be created.
  if (isFile && /^\/(dev|sys|proc)\//.test(path)) {
    throw new PiError(
      `${path}: no such disk; check that the card reader is connected, and run lsblk to list all disks`,
    );
  }
  if (isFile && (found?.size ?? 0) > 0) {
    throw new PiError(`${path}: the file is not empty; delete it, or specify another one`);
  }
  if (isFile) return undefined;
  if (!found?.isBlockDevice()) throw new PiError(`${path}: neither a disk nor a file`);
  const disk = await diskFacts(await realpath(path), signal);
  if (disk === undefined) throw new PiError(`${path} does not contain a card; insert one`);
  return disk;
}

/** @throws PiError It must not be written. */
export function reject(disk: DiskFacts, needs: WriteNeeds): void {
  const why = whyNotWrite(disk, needs);
  if (why !== undefined) throw new PiError(`${disk.path} ${why}`);
}

/**
 * Opens a disk so that it cannot be mounted meanwhile, and checks what was opened, because readers that are plugged in elsewhere
 * get different names.
 *
 * @param before the disk that the user has confirmed
 * @throws PiError
 */
export async function openDisk(
  before: DiskFacts,
  needs: WriteNeeds,
  signal: AbortSignal,
): Promise<Target> {
  reject(before, needs);
  const { path } = before;
  const flags = constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT;
  const file = await open(path, flags).catch((cause: unknown) => {
    throw new PiError(
      `${path}: opening failed: ${reasons[errorCode(cause) ?? ''] ?? errorCode(cause)}`,
      { cause },
    );
  });
  try {
    const opened = await file.stat({ bigint: true });
    const now = await diskFacts(path, signal);
    if (
      !opened.isBlockDevice() ||
      now === undefined ||
      now.number !== numberOf(opened.rdev) ||
      !isSame(before, now)
    ) {
      throw new PiError(
        `${path}: the disk has changed since the command started; check the disks and run the command again`,
      );
    }
    reject(now, needs);
    // The opened disk has exactly that size.
    await readFully(path, file, alignedBytes(now.block), now.size - now.block);
    return { path, file, disk: now };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const reasons: Record<string, string> = {
  EBUSY: 'another program is using it; unmount it, or stop that program',
  EACCES: 'permission denied; run the command again with sudo',
  EPERM: 'permission denied; run the command again with sudo',
  EROFS: "read-only; slide the card's write-protect switch",
  ENOMEDIUM: 'no card inserted',
};

/** Empty, so that zeros need not be written. @throws PiError */
export async function openFile(path: string): Promise<Target> {
  const file = await open(path, 'w+', 0o600).catch((cause: unknown) => {
    throw new PiError(`${path}: opening failed (${errorCode(cause)})`, { cause });
  });
  return { path, file, disk: undefined };
}

/** Source: makedev(3) of glibc. */
function numberOf(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}
