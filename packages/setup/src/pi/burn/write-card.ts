/**
 * Writes an image to an SD card, and reads it back. The first part, with the partition table, is written last, after the rest was read
 * back, so that a broken or removed SD card never boots.
 */
import { errorText } from '@skolo/base';
import { type Disk, readFully } from '../disk/disk.ts';
import { PiError } from '../errors.ts';
import { alignedBytes } from './aligned.ts';
import type { Target } from './target.ts';

export interface BurnProgress {
  phase: 'writes' | 'reads back';
  /** Bytes. */
  done: number;
  total: number;
}

interface BurnDeps {
  signal: AbortSignal;
  progress(progress: BurnProgress): void;
}

interface Burned {
  bytes: number;
  /** Zeros that were already on the card. */
  skipped: number;
}

const chunkBytes = 4 * 1024 * 1024;
const firstBytes = 1024 * 1024;

/** @throws PiError The card failed, or contains other data than was written. */
export async function writeCard(image: Disk, target: Target, deps: BurnDeps): Promise<Burned> {
  const writer = new CardWriter(image, target, deps);
  const first = await writer.writeParts();
  await writer.readBack();
  await writer.writeFirst(first);
  return { bytes: image.size, skipped: writer.skipped };
}

class CardWriter {
  /** Bytes of zeros that were already on the card. */
  skipped = 0;
  private readonly image: Disk;
  private readonly target: Target;
  private readonly deps: BurnDeps;
  private readonly total: number;
  private readonly block: number;
  private readonly buffers = [alignedBytes(chunkBytes), alignedBytes(chunkBytes)] as const;
  private readonly back = alignedBytes(chunkBytes);

  constructor(image: Disk, target: Target, deps: BurnDeps) {
    this.image = image;
    this.target = target;
    this.deps = deps;
    this.total = image.size;
    this.block = target.disk?.block ?? 1;
  }

  /** Everything except the first part, which is wiped. @returns the first part */
  async writeParts(): Promise<Buffer> {
    const { total, buffers } = this;
    const { file, disk } = this.target;
    const { signal, progress } = this.deps;
    progress({ phase: 'writes', done: 0, total });
    // A file has its full size immediately, and reads as zeros.
    if (disk === undefined) await file.truncate(total);
    const end = Math.min(firstBytes, total);
    const first = Buffer.from(await this.load(buffers[0].subarray(0, firstBytes), 0, end));
    await this.put(buffers[1].subarray(0, first.length).fill(0), 0);
    // While one part is written, the next one is read.
    let next = later(this.load(buffers[0], firstBytes, Math.max(firstBytes, total)));
    for (let offset = firstBytes, turn = 0; offset < total; offset += chunkBytes, turn++) {
      signal.throwIfAborted();
      const part = await next;
      const after = offset + chunkBytes;
      if (after < total) next = later(this.load(buffers[((turn + 1) % 2) as 0 | 1], after, total));
      await this.put(part, offset);
      progress({ phase: 'writes', done: Math.min(after, total), total });
    }
    await this.onCard('writing', total, () => file.sync());
    return first;
  }

  async readBack(): Promise<void> {
    const { total } = this;
    const { signal, progress } = this.deps;
    progress({ phase: 'reads back', done: 0, total });
    for (let offset = firstBytes; offset < total; offset += chunkBytes) {
      signal.throwIfAborted();
      const length = Math.min(chunkBytes, total - offset);
      await this.compare(offset, length);
      progress({ phase: 'reads back', done: offset + length - firstBytes, total });
    }
  }

  /** Makes the card bootable. */
  async writeFirst(first: Buffer): Promise<void> {
    const { total, buffers } = this;
    const { file, disk } = this.target;
    const last = buffers[0].subarray(0, first.length);
    first.copy(last);
    await this.put(last, 0);
    try {
      await this.onCard('writing', 0, () => file.sync());
      if (disk === undefined) await file.truncate(total);
      await this.compare(0, Math.min(firstBytes, total));
    } catch (error) {
      // It must not boot. If the SD card was removed or rejects writes, nothing can be done.
      const wipe = this.put(buffers[1].subarray(0, first.length).fill(0), 0);
      await wipe.then(() => file.sync()).catch(() => undefined);
      throw error;
    }
    this.deps.progress({ phase: 'reads back', done: total, total });
  }

  private async onCard(what: string, offset: number, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      this.deps.signal.throwIfAborted();
      throw new PiError(
        `${this.target.path}: ${what} failed at ${(offset / 1e6).toFixed(0)} MB: ${errorText(cause)}; the card will not boot; check that it is still inserted and write it again, or use another card`,
        { cause },
      );
    }
  }

  private async put(bytes: Buffer, offset: number): Promise<void> {
    const { path, file } = this.target;
    if (isZero(bytes)) {
      // Cards are often already empty, and reading is faster.
      const there = this.back.subarray(0, bytes.length);
      await this.onCard('reading', offset, () => readFully(path, file, there, offset));
      if (isZero(there)) {
        this.skipped += bytes.length;
        return;
      }
    }
    await this.onCard('writing', offset, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    });
  }

  /** A part of the image, in whole blocks. */
  private async load(into: Buffer, offset: number, end: number): Promise<Buffer> {
    const length = Math.min(into.length, end - offset);
    const whole = into.subarray(0, Math.ceil(length / this.block) * this.block);
    whole.fill(0, length);
    await this.image.read(whole.subarray(0, length), offset);
    return whole;
  }

  private async compare(offset: number, length: number): Promise<void> {
    const { path, file } = this.target;
    const wanted = this.buffers[0].subarray(0, length);
    const there = this.back.subarray(0, Math.ceil(length / this.block) * this.block);
    await Promise.all([
      this.image.read(wanted, offset),
      this.onCard('reading back', offset, () => readFully(path, file, there, offset)),
    ]);
    if (wanted.equals(there.subarray(0, length))) return;
    const at = offset + wanted.findIndex((byte, index) => byte !== there[index]);
    throw new PiError(
      `${path}: at ${(at / 1e6).toFixed(1)} MB, the data differs from what was written, so the card is defective or smaller than it reports; use another card`,
    );
  }
}

/** Awaited after the previous part was written, which may fail first. */
function later<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

function isZero(bytes: Buffer): boolean {
  // Each byte equals the previous one.
  return (
    bytes.length === 0 || (bytes[0] === 0 && bytes.compare(bytes, 0, bytes.length - 1, 1) === 0)
  );
}
