/**
 * Growing numbers in a file next to a log, which record how far it was acknowledged. Without them, a lost end of the log looks like one
 * that was never written.
 *
 * A number is written after its records are on the disk, and is not synced itself. So after a power cut it may be some
 * seconds behind, but never ahead: records that it counts and the disk lacks were lost. Kafka's recovery point and the
 * sizes of synced logs in RocksDB's manifest serve the same purpose. LevelDB and SQLite have neither, and ignore a zeroed
 * end.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

/** Pause between writes: at most twenty a second. */
const everyMs = 50;
/** Bytes for three numbers. Overwritten in place, within one sector of the disk. */
const length = 64;

/**
 * The mark of a directory. It is next to the directory, so that it survives the deletion of the directory. Leave it out of a copy
 * of a directory in use.
 */
export function markOf(folder: string): string {
  return `${folder}.mark`;
}

/** Undefined if the file is missing or damaged. */
export async function readMark(path: string): Promise<number[] | undefined> {
  const text = await readFile(path, 'latin1').catch(() => '');
  const { checksum, body = '' } =
    /^(?<checksum>[0-9a-f]{8}) (?<body>[0-9 ]+)\n$/.exec(text)?.groups ?? {};
  if (checksum !== checksumOf(body)) return undefined;
  const numbers = body.trim().split(' ').map(Number);
  return numbers.every(Number.isSafeInteger) ? numbers : undefined;
}

export class Mark {
  private readonly path: string;
  private readonly closing = new AbortController();
  private handle: FileHandle | undefined;
  private newest: readonly number[] | undefined;
  private running: Promise<void> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Sets the numbers, which must be on the disk. They are written soon; a failure keeps the file. */
  set(...numbers: number[]): void {
    this.newest = numbers;
    this.running ??= this.run();
  }

  /** Opens the file again, because it may be deleted. */
  async renew(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  /** Writes and syncs the last numbers. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
    await this.handle?.datasync().catch(() => undefined);
    await this.renew();
  }

  private async run() {
    const { signal } = this.closing;
    for (let written: readonly number[] | undefined; this.newest !== written; ) {
      written = this.newest;
      await this.write(written ?? []).catch(() => undefined);
      await pause(everyMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
    this.running = undefined;
  }

  private async write(numbers: readonly number[]) {
    const body = numbers.join(' ').padEnd(length - 10);
    const bytes = Buffer.from(`${checksumOf(body)} ${body}\n`);
    this.handle ??= await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    await this.handle.write(bytes, 0, bytes.length, 0);
  }
}

function checksumOf(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
