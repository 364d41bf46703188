/** The bytes of a disk: a file, and in-memory changes to it. */
import type { FileHandle } from 'node:fs/promises';
import { PiError } from '../errors.ts';

export interface Disk {
  /** For messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Fills all of `into`. @throws PiError The disk ends before. */
  read(into: Uint8Array, offset: number): Promise<void>;
}

export interface WritableDisk extends Disk {
  write(bytes: Uint8Array, offset: number): Promise<void>;
}

/** An image file, which is not changed. */
export async function diskOf(name: string, file: FileHandle): Promise<Disk> {
  const { size } = await file.stat();
  return { name, size, read: (into, offset) => readFully(name, file, into, offset) };
}

/** @throws PiError It ends before. */
export async function readFully(
  name: string,
  file: FileHandle,
  into: Uint8Array,
  offset: number,
): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, offset + done);
    if (bytesRead === 0) {
      throw new PiError(
        `${name}: no data after byte ${offset + done}; download the image again, or use another card`,
      );
    }
    done += bytesRead;
  }
}

export async function readBytes(disk: Disk, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await disk.read(bytes, offset);
  return bytes;
}

/** The piece size: a piece is kept in memory once a byte of it is changed. */
const pieceBytes = 64 * 1024;

/** A disk with in-memory changes, so that many machines share one base without copies. */
export class ChangedDisk implements WritableDisk {
  readonly name: string;
  readonly size: number;
  private readonly base: Disk;
  /** By the number of the piece. */
  private readonly changed = new Map<number, Buffer>();

  constructor(base: Disk) {
    this.base = base;
    this.name = base.name;
    this.size = base.size;
  }

  async read(into: Uint8Array, offset: number): Promise<void> {
    await this.base.read(into, offset);
    for (const { at, from, to } of pieces(offset, into.length)) {
      this.changed.get(at)?.copy(into, at * pieceBytes + from - offset, from, to);
    }
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (const { at, from, to } of pieces(offset, bytes.length)) {
      const start = at * pieceBytes;
      let piece = this.changed.get(at);
      if (piece === undefined) {
        piece = await readBytes(this.base, start, Math.min(pieceBytes, this.size - start));
        this.changed.set(at, piece);
      }
      piece.set(bytes.subarray(start + from - offset, start + to - offset), from);
    }
  }

  /** Offset and bytes of each piece that differs from the base, in order. */
  changes(): { offset: number; bytes: Buffer }[] {
    const numbers = [...this.changed.keys()].sort((a, b) => a - b);
    return numbers.map((at) => ({
      offset: at * pieceBytes,
      bytes: this.changed.get(at) as Buffer,
    }));
  }
}

/** The pieces in a range. */
function* pieces(offset: number, length: number) {
  for (let done = 0; done < length; ) {
    const at = Math.floor((offset + done) / pieceBytes);
    const from = offset + done - at * pieceBytes;
    const to = Math.min(pieceBytes, from + length - done);
    yield { at, from, to };
    done += to - from;
  }
}
