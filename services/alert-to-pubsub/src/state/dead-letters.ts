/**
 * Dead letters: entries that were not alerts, and messages that a sink rejected. The newest of them are kept for a person to inspect or
 * retry. JSON lines in two files, the newer and the previous one, each at most half of the limit.
 */
import { statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeadLetter } from '@skolo/api';
import { parseJson } from '@skolo/base';
import {
  appendLines,
  FileNotWritten,
  GroupCommit,
  linesBackwards,
  makeFolder,
  openIfThere,
  readFileIfExists,
  syncFolder,
  writeFileAtomic,
} from '@skolo/base/durable';
import { Locks } from '@skolo/common';

const mostLetterBytes = 64 * 1024;

interface Lines {
  lines: string[];
  bytes: number;
}

export class DeadLetters {
  private readonly folder: string;
  private readonly maxBytes: () => number;
  private readonly newer: string;
  private readonly older: string;
  /** Letters that arrive during a sync share the next one. */
  private readonly commits = new GroupCommit<Lines>((jobs) => this.writeAll(jobs));
  /** One change of the files at a time, and one `useAndRemove`. */
  private readonly locks = new Locks();
  private added = 0;

  /**
   * @param folder created when the first letter is written
   * @param maxBytes of both files together; 0: nothing is kept, but everything is counted
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
   * Keeps them. Once the promise is fulfilled, they are on the disk, each cut if too long. If they exceed half of the limit, the last ones
   * are kept.
   *
   * @param mostBytes of each; messages are kept whole if possible, because they can be sent again
   * @throws FileNotWritten None of them was kept, or only some of the earlier ones.
   */
  async add(letters: readonly DeadLetter[], mostBytes = mostLetterBytes): Promise<void> {
    if (letters.length === 0) return;
    const most = Math.min(mostBytes, this.half() - 1);
    const lines = letters.map((letter) => lineOf(letter, most));
    const bytes = lines.reduce((sum, line) => sum + line.length, 0);
    await this.commits.run({ lines, bytes });
    this.added += letters.length;
  }

  /** Newest first. Incomplete lines are skipped. */
  async list({ limit }: { limit: number }): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    // Both before either is read: meanwhile the newer may become the previous one.
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
   * Takes letters out, oldest first. They stay until `use` is fulfilled, and after a crash they may still exist: then they are used again.
   *
   * @throws unknown What `use` threw: all of them still exist.
   * @throws FileNotWritten They were used, but some of them still exist.
   */
  async useAndRemove(
    isWanted: (letter: DeadLetter) => boolean,
    use: (letters: DeadLetter[]) => Promise<void>,
  ): Promise<void> {
    await this.locks.hold('take', async () => {
      const lines = await this.locks.hold('files', () => this.lines());
      const wanted = lines.flatMap((line) => {
        const letter = parseLine(line);
        return letter !== undefined && isWanted(letter) ? [{ line, letter }] : [];
      });
      if (wanted.length === 0) return;
      // Not while the files are locked: `use` may wait for letters that are added.
      await use(wanted.map(({ letter }) => letter));
      const used = new Set(wanted.map(({ line }) => line));
      await this.locks.hold('files', () => this.remove(used));
    });
  }

  /** Oldest first. */
  private async lines(): Promise<string[]> {
    const texts = [await readFileIfExists(this.older), await readFileIfExists(this.newer)];
    return texts.flatMap((text = '') => text.split('\n'));
  }

  private async remove(used: ReadonlySet<string>): Promise<void> {
    for (const path of [this.older, this.newer]) {
      const lines = ((await readFileIfExists(path)) ?? '').split('\n');
      const rest = lines.filter((line) => !used.has(line));
      if (rest.length < lines.length) await writeFileAtomic(path, rest.join('\n'));
    }
  }

  private half(): number {
    return Math.floor(this.maxBytes() / 2);
  }

  /** @throws FileNotWritten */
  private async writeAll(jobs: readonly Lines[]): Promise<number[]> {
    try {
      const lines = jobs.flatMap((job) => job.lines);
      await this.locks.hold('files', () => this.write(lines));
      return [];
    } catch (cause) {
      throw new FileNotWritten(this.newer, cause);
    }
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
    // The limit has become smaller.
    if (older > half) await rm(this.older, { force: true });
    // One more newline if the last line is incomplete.
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
  // The limit is so small that nothing fits.
  return '';
}

/** As many of them, from the end, as fit. */
function lastOf(lines: readonly string[], most: number): Buffer {
  let bytes = 0;
  let from = lines.length;
  for (; from > 0; from -= 1) {
    bytes += Buffer.byteLength(lines[from - 1] ?? '');
    // One more newline if the last line is incomplete.
    if (bytes + 1 > most) break;
  }
  return Buffer.from(lines.slice(from).join(''));
}

function parseLine(line: string): DeadLetter | undefined {
  return DeadLetter.safeParse(parseJson(line)).data;
}
