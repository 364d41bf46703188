/**
 * Writes an image to an SD card, and reads it back. The first part, with the partition table, comes last, when all the rest was read
 * back: an SD card that is broken or was pulled out never starts.
 */
import { errorText } from '@skolo/base';
import { PiError } from '../errors.ts';
import type { Disk } from '../image/disk.ts';
import { readFully } from '../image/disk.ts';
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
  /** Zeros that were there already. */
  skipped: number;
}

const chunkBytes = 4 * 1024 * 1024;
const firstBytes = 1024 * 1024;

/** @throws PiError The card failed, or has something else than what was written. */
export async function writeCard(
  image: Disk,
  { path, file, disk }: Target,
  { signal, progress }: BurnDeps,
): Promise<Burned> {
  const total = image.size;
  const block = disk?.block ?? 1;
  const buffers = [alignedBytes(chunkBytes), alignedBytes(chunkBytes)] as const;
  const back = alignedBytes(chunkBytes);
  let skipped = 0;

  const onCard = async (what: string, offset: number, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (cause) {
      signal.throwIfAborted();
      throw new PiError(
        `${path}: ${what} failed at ${(offset / 1e6).toFixed(0)} MB: ${errorText(cause)}; was it pulled out? It does not start; write it again, or take another card`,
        { cause },
      );
    }
  };

  async function put(bytes: Buffer, offset: number): Promise<void> {
    if (isZero(bytes)) {
      // Cards are often empty there, and reading is faster.
      const there = back.subarray(0, bytes.length);
      await onCard('reading', offset, () => readFully(path, file, there, offset));
      if (isZero(there)) {
        skipped += bytes.length;
        return;
      }
    }
    await onCard('writing', offset, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    });
  }

  /** The part of the image, in whole blocks. */
  async function load(into: Buffer, offset: number, end: number): Promise<Buffer> {
    const length = Math.min(into.length, end - offset);
    const whole = into.subarray(0, Math.ceil(length / block) * block);
    whole.fill(0, length);
    await image.read(whole.subarray(0, length), offset);
    return whole;
  }

  progress({ phase: 'writes', done: 0, total });
  // A file has its size at once, and reads as zeros.
  if (disk === undefined) await file.truncate(total);
  const first = await load(buffers[0].subarray(0, firstBytes), 0, Math.min(firstBytes, total));
  const none = buffers[1].subarray(0, first.length).fill(0);
  await put(none, 0);
  const firstCopy = Buffer.from(first);

  // While one part is written, the next one is read.
  let next = later(load(buffers[0], firstBytes, Math.max(firstBytes, total)));
  for (let offset = firstBytes, turn = 0; offset < total; offset += chunkBytes, turn++) {
    signal.throwIfAborted();
    const part = await next;
    const after = offset + chunkBytes;
    if (after < total) next = later(load(buffers[((turn + 1) % 2) as 0 | 1], after, total));
    await put(part, offset);
    progress({ phase: 'writes', done: Math.min(after, total), total });
  }
  await onCard('writing', total, () => file.sync());
  progress({ phase: 'reads back', done: 0, total });
  for (let offset = firstBytes; offset < total; offset += chunkBytes) {
    signal.throwIfAborted();
    const length = Math.min(chunkBytes, total - offset);
    await compare(offset, length);
    progress({ phase: 'reads back', done: offset + length - firstBytes, total });
  }
  const last = buffers[0].subarray(0, firstCopy.length);
  firstCopy.copy(last);
  await put(last, 0);
  try {
    await onCard('writing', 0, () => file.sync());
    if (disk === undefined) await file.truncate(total);
    await compare(0, Math.min(firstBytes, total));
  } catch (error) {
    // It must not start. If the SD card is gone, or takes no more bytes, nobody can help that.
    const wipe = put(buffers[1].subarray(0, firstCopy.length).fill(0), 0).then(() => file.sync());
    await wipe.catch(() => undefined);
    throw error;
  }
  progress({ phase: 'reads back', done: total, total });
  return { bytes: total, skipped };

  async function compare(offset: number, length: number): Promise<void> {
    const wanted = buffers[0].subarray(0, length);
    const there = back.subarray(0, Math.ceil(length / block) * block);
    await Promise.all([
      image.read(wanted, offset),
      onCard('reading back', offset, () => readFully(path, file, there, offset)),
    ]);
    if (!wanted.equals(there.subarray(0, length))) {
      const at = offset + wanted.findIndex((byte, index) => byte !== there[index]);
      throw new PiError(
        `${path}: has something else at ${(at / 1e6).toFixed(1)} MB than what was written there: the card is broken, or smaller than it says; take another card`,
      );
    }
  }
}

/** It is awaited when the part before is written, which may fail first. */
function later<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

function isZero(bytes: Buffer): boolean {
  // Each byte is the one before it.
  return (
    bytes.length === 0 || (bytes[0] === 0 && bytes.compare(bytes, 0, bytes.length - 1, 1) === 0)
  );
}
