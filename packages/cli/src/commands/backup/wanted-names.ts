import { complain, failPartly, usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { byNumber, expanded, namesOf } from '../../names.ts';

export interface WantedNames {
  /** The named items, sorted. Prints unknown names and sets the exit code. */
  of<T extends { name: string }>(io: Io, all: readonly T[]): Promise<T[]>;
}

/** Names on the command line; without a name all. */
export async function wantedNames(words: readonly string[]): Promise<WantedNames> {
  const names = words.length === 0 ? [] : await expanded((await namesOf(words)).names);
  return {
    async of(io, all) {
      const unknown = names.filter((name) => all.every((each) => each.name !== name));
      for (const name of unknown) {
        const { didYouMean } = await import('@skolo/rack');
        const guess = didYouMean(
          name,
          all.map((each) => each.name),
        );
        complain(io, `${name}: no such device${guess}; skolo backup status lists them`);
      }
      const found = all.filter(({ name }) => words.length === 0 || names.includes(name));
      if (unknown.length > 0) failPartly(io, found.length > 0);
      return found.toSorted((a, b) => byNumber(a.name, b.name));
    },
  };
}

/** The name of one device; rejects ranges. */
export function oneDevice(word: string): string {
  if (!/[\s,[\]]/.test(word) && word !== '') return word;
  throw usageError(`${word}: give the name of one device`);
}
