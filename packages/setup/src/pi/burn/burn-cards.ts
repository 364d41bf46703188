/**
 * Writes several SD cards, and decides when a reader is not used any more: one card after the other in each reader, and in all readers
 * at the same time.
 */
import { errorText, pause } from '@skolo/base';
import type { Disk } from '../disk/disk.ts';
import { PiError } from '../errors.ts';
import { type DiskFacts, diskFacts } from './disk-facts.ts';
import { isSame, type WriteNeeds, whyNotWrite } from './may-write.ts';
import { openDisk, openFile } from './target.ts';
import { type BurnProgress, writeCard } from './write-card.ts';

export interface Reader {
  path: string;
  /** The disk that the user has confirmed; undefined: a plain file. */
  disk: DiskFacts | undefined;
}

export interface CardResult {
  name: string;
  /** Undefined: no reader was available for it. */
  path?: string;
  /** Undefined: it succeeded. */
  why?: string;
}

export interface CardsDeps extends WriteNeeds {
  /** A machine's image of this size. */
  imageOf(name: string): Promise<Disk>;
  signal: AbortSignal;
  progress(path: string, name: string, progress: BurnProgress): void;
  /** What the user must do at a reader. */
  ask(path: string, text: string): void;
  done(result: CardResult): void;
  /** Interval at which a reader is polled, in milliseconds; default 500. */
  pollMs?: number;
}

/** After a failed card, its reader is not used any more, because it may be at fault. @returns in the order of the names */
export async function burnCards(
  names: readonly string[],
  readers: readonly Reader[],
  deps: CardsDeps,
): Promise<CardResult[]> {
  const left = [...names];
  const results = new Map<string, CardResult>(
    names.map((name) => [
      name,
      { name, why: 'not written, because no other card reader was available' },
    ]),
  );
  const note = (result: CardResult) => {
    results.set(result.name, result);
    deps.done(result);
  };
  async function useReader({ path, disk }: Reader): Promise<void> {
    let card = disk;
    for (let isFirst = true; ; isFirst = false) {
      const name = left.shift();
      if (name === undefined) return;
      try {
        if (!isFirst) card = await nextCard(card, path, name, deps);
        await burn({ path, disk: card }, name, deps);
        note({ name, path });
        // A file holds only one image.
        if (card === undefined) return;
      } catch (error) {
        deps.signal.throwIfAborted();
        note({ name, path, why: errorText(error) });
        return;
      }
    }
  }
  await Promise.all(readers.map(useReader));
  return [...results.values()];
}

async function burn({ path, disk }: Reader, name: string, deps: CardsDeps): Promise<void> {
  const { signal } = deps;
  const image = await deps.imageOf(name);
  const target = disk === undefined ? await openFile(path) : await openDisk(disk, deps, signal);
  try {
    const progress = (each: BurnProgress) => deps.progress(path, name, each);
    await writeCard(image, target, { signal, progress });
  } finally {
    await target.file.close();
  }
}

/** Waits for another card that may be written in a reader. */
async function nextCard(
  previous: DiskFacts | undefined,
  path: string,
  name: string,
  deps: CardsDeps,
): Promise<DiskFacts> {
  const { ask, signal, pollMs = 500 } = deps;
  if (previous?.sequence === undefined) {
    throw new PiError(
      `${path}: Linux versions before 5.15 do not report when a card is replaced; specify only one machine for each card reader`,
    );
  }
  const wanted = `remove the SD card from ${path} and insert the one for ${name}`;
  ask(path, wanted);
  let before: DiskFacts | undefined;
  for (let said: string | undefined; ; ) {
    const now = await diskFacts(path, signal);
    const isOther = now !== undefined && now.size > 0 && now.sequence !== previous.sequence;
    // The kernel detects the card and its size at different moments.
    const isSettled = isOther && before !== undefined && isSame(before, now);
    before = now;
    if (isSettled) {
      const why = whyNotWrite(now, deps);
      if (why === undefined) return now;
      // Desktops mount cards automatically.
      if (why !== said) ask(path, `${path} ${why}`);
      said = why;
    }
    await pause(pollMs, signal);
  }
}
