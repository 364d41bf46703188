/**
 * Numbers that only grow, in a file beside what they are about: how far it was acknowledged. Without them, a lost end
 * cannot be told from one that was never written.
 *
 * A number is written once what it counts is on the disk, and not synced itself. So after a power cut the file may be some
 * seconds behind, but it is never ahead: whatever it counts and the disk no longer has was lost. Kafka's recovery point
 * and the sizes of synced logs in RocksDB's manifest serve the same purpose; LevelDB and SQLite have neither, and pass
 * over a zeroed end in silence.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

/** From one write to the next: whoever appends without a pause pays for twenty a second at most. */
const everyMs = 50;
/** Enough for three numbers. Overwritten in place, within one sector of the disk. */
const length = 64;

/**
 * The mark of what is in that folder. It is beside the folder, so that it is there when somebody deletes the folder. Leave it
 * out of a copy that is made while the folder is in use.
 */
export function markOf(folder: string): string {
  return `${folder}.mark`;
}

/** Undefined where the file is missing or damaged: then nothing is known. */
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

  /** Call it with what is on the disk. It is written soon; a disk that does not take it leaves the file as it was. */
  set(...numbers: number[]): void {
    this.newest = numbers;
    this.running ??= this.run();
  }

  /** Somebody may have deleted the file. */
  async renew(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  /** Writes what was set last, and syncs it. */
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
