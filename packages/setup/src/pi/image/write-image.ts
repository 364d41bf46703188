/** Writes a changed disk to a sparse file. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '@skolo/base/durable/atomic-file';
import type { Disk } from '../disk/disk.ts';

const chunkBytes = 4 * 1024 * 1024;
/** Holes in file systems are whole blocks. */
const holeBytes = 64 * 1024;
const zeros = Buffer.alloc(holeBytes);

/** Writes a complete disk to a file, which appears when it is complete and flushed. */
export async function writeChanged(disk: Disk, path: string, signal: AbortSignal): Promise<void> {
  const draft = `${path}.partial`;
  const file = await open(draft, 'w', 0o600);
  try {
    const chunk = Buffer.alloc(chunkBytes);
    for (let offset = 0; offset < disk.size; offset += chunkBytes) {
      signal.throwIfAborted();
      const part = chunk.subarray(0, Math.min(chunkBytes, disk.size - offset));
      await disk.read(part, offset);
      for (const { from, to } of dataIn(part))
        await file.write(part, from, to - from, offset + from);
    }
    await file.truncate(disk.size);
    await file.sync();
    await file.close();
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close();
    await rm(draft, { force: true });
    throw error;
  }
}

/** The parts that are not only zeros. */
export function* dataIn(bytes: Buffer): Generator<{ from: number; to: number }> {
  let from: number | undefined;
  for (let at = 0; at < bytes.length; at += holeBytes) {
    const end = Math.min(at + holeBytes, bytes.length);
    const isZero = bytes.compare(zeros, 0, end - at, at, end) === 0;
    if (isZero && from !== undefined) {
      yield { from, to: at };
      from = undefined;
    } else if (!isZero) from ??= at;
  }
  if (from !== undefined) yield { from, to: bytes.length };
}
