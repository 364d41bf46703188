/** The file that is written to. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../atomic-file.ts';
import type { Segment } from './segment.ts';

export class Tail {
  readonly segment: Segment;
  /** Nothing more may be written to it. */
  isSpent = false;
  /** Nothing is in it behind what was acknowledged. */
  isClean = true;
  private readonly handle: FileHandle;

  private constructor(segment: Segment, handle: FileHandle) {
    this.segment = segment;
    this.handle = handle;
  }

  /**
   * Goes on with a segment that is whole. What a killed process wrote and did not sync is made durable now, since it is
   * going to be read; if that fails, the file is left alone.
   *
   * @throws Error Of the system.
   */
  static async continue(segment: Segment): Promise<Tail> {
    const tail = new Tail(segment, await open(segment.path, 'r+'));
    try {
      await tail.handle.datasync();
      await syncFolder(dirname(segment.path));
    } catch {
      tail.isSpent = true;
    }
    return tail;
  }

  /**
   * A new file that begins with these bytes, durable with its name.
   *
   * @throws Error Of the system: there is no such file then. EEXIST: the name is taken.
   */
  static async begin(segment: Segment, bytes: Buffer): Promise<Tail> {
    const handle = await open(segment.path, 'wx', 0o600);
    try {
      await writeAll(handle, bytes, 0);
      await handle.datasync();
      await syncFolder(dirname(segment.path));
    } catch (error) {
      await handle.truncate(0).catch(() => undefined);
      await handle.close().catch(() => undefined);
      await rm(segment.path, { force: true }).catch(() => undefined);
      throw error;
    }
    segment.end = bytes.length;
    return new Tail(segment, handle);
  }

  /** @throws Error Of the system: nothing of the bytes is there, unless `isClean` says that it could not be taken out. */
  async append(bytes: Buffer): Promise<void> {
    const { end } = this.segment;
    try {
      await writeAll(this.handle, bytes, end);
    } catch (error) {
      await this.withdraw();
      throw error;
    }
    try {
      await this.handle.datasync();
    } catch (error) {
      // The kernel tells of lost pages once, and thinks them clean then: another sync would prove nothing.
      this.isSpent = true;
      await this.withdraw();
      throw error;
    }
    this.segment.end = end + bytes.length;
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
