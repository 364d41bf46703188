/** The newest segment, open for writing. */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, isDiskFull } from '@skolo/base';
import { syncFolder } from '../files/atomic-file.ts';
import { chunkBytes, type Segment } from './segment.ts';

/**
 * Milliseconds for which a check of the file is valid. Otherwise continuous appends would check at each sync, which took a
 * tenth of the CPU time.
 */
const seenForMs = 50;
/**
 * The kernel returns from each write when the bytes are on the disk, as if fdatasync(2) followed (open(2), O_DSYNC). One trip
 * through the thread pool less: a tenth more appends a second.
 */
const durable = constants.O_RDWR | constants.O_DSYNC;
const newDurable = durable | constants.O_CREAT | constants.O_EXCL;

export class Tail {
  readonly segment: Segment;
  /** Closed for writing. */
  isSpent = false;
  /** It ends with the last acknowledged record. */
  isClean = true;
  private handle: FileHandle;
  private inode: number | undefined;
  private readonly now: () => number;
  /** When the file was last seen in its directory. */
  private seenAt = Number.NEGATIVE_INFINITY;

  private constructor(segment: Segment, handle: FileHandle, now: () => number) {
    this.segment = segment;
    this.handle = handle;
    this.now = now;
  }

  /**
   * Continues an undamaged segment. Syncs what a killed process wrote, because it will be read; if that fails, the file is
   * not continued.
   *
   * @param now milliseconds, of a clock that does not jump
   * @throws Error From the system.
   */
  static async continue(segment: Segment, now: () => number): Promise<Tail> {
    const tail = new Tail(segment, await open(segment.path, durable), now);
    try {
      await tail.handle.datasync();
      await syncFolder(dirname(segment.path));
    } catch {
      tail.isSpent = true;
    }
    return tail;
  }

  /**
   * Creates a file with these bytes, durable with its name.
   *
   * @param now milliseconds, of a clock that does not jump
   * @throws Error From the system: the file is not created. EEXIST: the name is taken.
   */
  static async create(segment: Segment, bytes: Buffer, now: () => number): Promise<Tail> {
    const handle = await open(segment.path, newDurable, 0o600);
    try {
      await writeAll(handle, bytes, 0);
      await syncFolder(dirname(segment.path));
    } catch (error) {
      await handle.truncate(0).catch(() => undefined);
      await handle.close().catch(() => undefined);
      await rm(segment.path, { force: true }).catch(() => undefined);
      throw error;
    }
    segment.end = bytes.length;
    return new Tail(segment, handle, now);
  }

  /**
   * Whether the bytes are on the disk, in a file that existed `seenForMs` before the write, or later. False if the file was
   * deleted.
   *
   * @throws Error From the system: the bytes are not in the file, unless `isClean` is false.
   */
  async append(bytes: Buffer): Promise<boolean> {
    const { end } = this.segment;
    // In parallel with the write, so that it takes no extra time.
    const isSeen = this.now() - this.seenAt < seenForMs;
    const checking = isSeen || this.isThere();
    try {
      await writeAll(this.handle, bytes, end);
    } catch (error) {
      // The disk rejects further bytes; all other errors may be a failed sync. The kernel reports lost pages once and then marks them
      // clean: another sync would confirm nothing.
      if (!isDiskFull(error) && errorCode(error) !== 'EFBIG') this.isSpent = true;
      await this.withdraw();
      throw error;
    }
    if (!(await checking)) return false;
    this.segment.end = end + bytes.length;
    return true;
  }

  /** Whether the file is still in its directory; true if that cannot be checked. */
  async isThere(): Promise<boolean> {
    const at = this.now();
    try {
      this.inode ??= (await this.handle.stat()).ino;
      const isThere = (await stat(this.segment.path)).ino === this.inode;
      if (isThere) this.seenAt = at;
      return isThere;
    } catch (error) {
      return !['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');
    }
  }

  /**
   * Copies the deleted file back: while it is open, its records are still on the disk.
   *
   * @throws Error From the system: the file is not restored.
   */
  async restore(): Promise<void> {
    const { path, end } = this.segment;
    // Another file has its name.
    await rename(path, `${path}.damaged`).catch(() => undefined);
    const copy = await open(path, newDurable, 0o600);
    try {
      await copyTo(copy, this.handle, end);
      await syncFolder(dirname(path));
    } catch (error) {
      await copy.close().catch(() => undefined);
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    }
    await this.handle.close().catch(() => undefined);
    this.handle = copy;
    this.inode = undefined;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async withdraw() {
    try {
      await this.handle.truncate(this.segment.end);
      await this.handle.datasync();
    } catch {
      this.isSpent = true;
      this.isClean = false;
    }
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number) {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function copyTo(copy: FileHandle, from: FileHandle, end: number) {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let done = 0; done < end; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - done), done);
    if (bytesRead === 0) return;
    await writeAll(copy, buffer.subarray(0, bytesRead), done);
    done += bytesRead;
  }
}
