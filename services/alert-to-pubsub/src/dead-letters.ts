/**
 * What was no alert, and messages that a sink rejects while it takes others: kept for a person to look at, or to retry, the newest of it. JSON lines in two
 * files, the newer and the one before, each at most half of what is allowed.
 */
import { statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeadLetter } from '@skolo/api';
import {
  appendLines,
  FileNotWritten,
  linesBackwards,
  makeFolder,
  openIfThere,
  readFileIfExists,
  syncFolder,
  writeFileAtomic,
} from '@skolo/durable';
import { parseJson } from '@skolo/errors';

const mostLetterBytes = 64 * 1024;

interface Waiting {
  lines: string[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

export class DeadLetters {
  private readonly folder: string;
  private readonly maxBytes: () => number;
  private readonly newer: string;
  private readonly older: string;
  private waiting: Waiting[] = [];
  private writer: Promise<void> | undefined;
  private added = 0;

  /**
   * @param folder made when the first letter is written
   * @param maxBytes of both files together; 0: nothing is kept, and all of it is counted
   */
  constructor(folder: string, maxBytes: () => number) {
    this.folder = folder;
    this.maxBytes = maxBytes;
    this.newer = join(folder, 'dead-letters.jsonl');
    this.older = join(folder, 'dead-letters.1.jsonl');
  }

  /** Since the start. */
  get count(): number {
    return this.added;
  }

  /** On the disk. */
  get bytes(): number {
    return [this.newer, this.older]
      .map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((a, b) => a + b);
  }

  /**
   * Keeps them. When the promise is fulfilled, they are on the disk, each cut where it is too long. Of more than half of
   * what is allowed at once, the last are kept.
   *
   * @param mostBytes of each; messages are kept whole where that is possible, since they can be sent again
   * @throws FileNotWritten None of them is kept, or only some of those that were there before.
   */
  async add(letters: readonly DeadLetter[], mostBytes = mostLetterBytes): Promise<void> {
    if (letters.length === 0) return;
    const most = Math.min(mostBytes, this.half() - 1);
    const lines = letters.map((letter) => lineOf(letter, most));
    const written = new Promise<void>((resolve, reject) => {
      this.waiting.push({ lines, resolve, reject });
    });
    this.writer ??= this.writeWaiting();
    await written;
    this.added += letters.length;
  }

  /** The newest first. A line that is not whole is passed over. */
  async list({ limit }: { limit: number }): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    // Both before either is read: meanwhile the newer may become the older.
    const files = [await openIfThere(this.newer), await openIfThere(this.older)];
    try {
      const seen = new Set<number>();
      for (const file of files) {
        if (file === undefined) continue;
        const { ino, size } = await file.stat();
        if (seen.has(ino)) continue;
        seen.add(ino);
        for await (const { line } of linesBackwards(file, size)) {
          if (letters.length >= limit) return letters;
          const letter = parseLine(line);
          if (letter !== undefined) letters.push(letter);
        }
      }
      return letters;
    } finally {
      for (const file of files) await file?.close();
    }
  }

  /**
   * Takes letters out, the oldest first. They are there until `use` is fulfilled, and after a crash they may still be:
   * then they are used again.
   *
   * @throws unknown What `use` threw: all of them are there.
   * @throws FileNotWritten They were used, and some of them are still there.
   */
  async take(
    isWanted: (letter: DeadLetter) => boolean,
    use: (letters: DeadLetter[]) => Promise<void>,
  ): Promise<void> {
    while (this.writer !== undefined) await this.writer;
    const taking = this.takeNow(isWanted, use);
    // What is added meanwhile waits.
    this.writer = taking
      .catch(() => undefined)
      .then(() => {
        this.writer = undefined;
        if (this.waiting.length > 0) this.writer = this.writeWaiting();
      });
    await taking;
  }

  private async takeNow(
    isWanted: (letter: DeadLetter) => boolean,
    use: (letters: DeadLetter[]) => Promise<void>,
  ) {
    const rests: { path: string; rest: string }[] = [];
    const wanted: DeadLetter[] = [];
    for (const path of [this.older, this.newer]) {
      const lines = ((await readFileIfExists(path)) ?? '').split('\n');
      const kept = lines.filter((line) => {
        const letter = parseLine(line);
        if (letter === undefined || !isWanted(letter)) return true;
        wanted.push(letter);
        return false;
      });
      if (kept.length < lines.length) rests.push({ path, rest: kept.join('\n') });
    }
    if (wanted.length === 0) return;
    await use(wanted);
    for (const { path, rest } of rests) await writeFileAtomic(path, rest);
  }

  private half(): number {
    return Math.floor(this.maxBytes() / 2);
  }

  /** All that came meanwhile shares the next sync. */
  private async writeWaiting() {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.write(batch.flatMap(({ lines }) => lines));
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        const error = new FileNotWritten(this.newer, cause);
        for (const { reject } of batch) reject(error);
      }
    }
    // In the same turn as the last look at what is waiting, so that nothing waits without a writer.
    this.writer = undefined;
  }

  private async write(lines: string[]) {
    const half = this.half();
    const text = lastOf(lines, half);
    await makeFolder(this.folder);
    await this.makeRoom(text.length, half);
    if (text.length === 0) return;
    await appendLines(this.newer, text);
    await syncFolder(this.folder);
  }

  private async makeRoom(bytes: number, half: number) {
    const [newer = 0, older = 0] = [this.newer, this.older].map(
      (file) => statSync(file, { throwIfNoEntry: false })?.size,
    );
    // The bound has become smaller.
    if (older > half) await rm(this.older, { force: true });
    // A newline more where the last line is not whole.
    if (newer + bytes + 1 <= half) return;
    if (newer > half) await rm(this.newer, { force: true });
    else if (newer > 0) await rename(this.newer, this.older);
  }
}

function lineOf(letter: DeadLetter, most: number): string {
  const whole = `${JSON.stringify({ ...letter, found: letter.found ?? null })}\n`;
  if (Buffer.byteLength(whole) <= most) return whole;
  const why = letter.why.slice(0, 1000);
  const found = JSON.stringify(letter.found ?? null);
  for (let kept = most; kept >= 1; kept = Math.floor(kept / 1.2)) {
    const cut = `${JSON.stringify({ ...letter, why, found: `${found.slice(0, kept)}…` })}\n`;
    if (Buffer.byteLength(cut) <= most) return cut;
  }
  // So little is allowed that nothing fits.
  return '';
}

/** As many of them, from the end, as fit. */
function lastOf(lines: readonly string[], most: number): Buffer {
  let bytes = 0;
  let from = lines.length;
  for (; from > 0; from -= 1) {
    bytes += Buffer.byteLength(lines[from - 1] ?? '');
    // A newline more where the last line is not whole.
    if (bytes + 1 > most) break;
  }
  return Buffer.from(lines.slice(from).join(''));
}

function parseLine(line: string): DeadLetter | undefined {
  return DeadLetter.safeParse(parseJson(line)).data;
}
