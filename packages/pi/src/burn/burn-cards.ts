/** Several cards: one after the other in each reader, and all readers at once. */
import { errorText, pause } from '@skolo/base';
import type { Disk } from '../disk/disk.ts';
import { PiError } from '../errors.ts';
import { type DiskFacts, diskFacts } from './disk-facts.ts';
import { isSame, type WriteNeeds, whyNotWrite } from './may-write.ts';
import { openDisk, openFile } from './target.ts';
import { type BurnProgress, writeCard } from './write-card.ts';

export interface Reader {
  path: string;
  /** What a person has seen; undefined: a plain file. */
  disk: DiskFacts | undefined;
}

export interface CardResult {
  name: string;
  /** Undefined: no reader was left for it. */
  path?: string;
  /** Undefined: it is done. */
  why?: string;
}

export interface CardsDeps extends WriteNeeds {
  /** The image of a machine, which has `bytes`. */
  imageOf(name: string): Promise<Disk>;
  signal: AbortSignal;
  progress(path: string, name: string, progress: BurnProgress): void;
  /** What a person has to do at a reader. */
  ask(path: string, text: string): void;
  done(result: CardResult): void;
  /** Between two looks at a reader; default 500. Milliseconds. */
  pollMs?: number;
}

/** A card that fails ends its reader: it may be the reader. @returns in the order of the names */
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
        // A file has room for one.
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

/** Waits for another card in a reader that may be written. */
async function nextCard(
  previous: DiskFacts | undefined,
  path: string,
  name: string,
  deps: CardsDeps,
): Promise<DiskFacts> {
  const { ask, signal, pollMs = 500 } = deps;
  if (previous?.sequence === undefined) {
    throw new PiError(
      `${path}: Linux before 5.15 does not report when a card changes; specify only one machine for each card reader`,
    );
  }
  const wanted = `remove the SD card from ${path} and insert the one for ${name}`;
  ask(path, wanted);
  let before: DiskFacts | undefined;
  for (let said: string | undefined; ; ) {
    const now = await diskFacts(path, signal);
    const isOther = now !== undefined && now.size > 0 && now.sequence !== previous.sequence;
    // The kernel counts the card and knows its size at different moments.
    const isSettled = isOther && before !== undefined && isSame(before, now);
    before = now;
    if (isSettled) {
      const why = whyNotWrite(now, deps);
      if (why === undefined) return now;
      // A desktop mounts cards by itself.
      if (why !== said) ask(path, `${path} ${why}`);
      said = why;
    }
    await pause(pollMs, signal);
  }
}
