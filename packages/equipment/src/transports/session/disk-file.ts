/** A file for large output of a device. */
import type { WriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { makeFolder } from '@skolo/base/durable';

/** A new file that only its owner can read. */
export class DiskFile {
  /** The disk error. */
  problem: unknown;
  private readonly path: string;
  private stream: WriteStream | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Creates its directory if missing. */
  async open(): Promise<Writable> {
    try {
      await makeFolder(dirname(this.path));
      const handle = await open(this.path, 'wx', 0o600);
      this.stream = handle.createWriteStream();
    } catch (error) {
      this.problem = error;
      throw error;
    }
    this.stream.on('error', (error) => {
      this.problem = error;
    });
    return this.stream;
  }

  /** Bytes that were passed to the disk. */
  get size(): number {
    return this.stream === undefined ? 0 : this.stream.bytesWritten + this.stream.writableLength;
  }

  async remove(): Promise<void> {
    this.stream?.destroy();
    await rm(this.path, { force: true }).catch(() => undefined);
  }
}
