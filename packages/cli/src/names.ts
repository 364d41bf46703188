/** Names of machines and equipment, as typed and as printed. */
import { byNumber, didYouMean, expandNames } from '@skolo/rack/light';
import { complain, failPartly, usageError } from './errors.ts';
import type { Io } from './io.ts';

export { byNumber, foldNames as folded } from '@skolo/rack/light';

export interface Names {
  /** As typed, with ranges; the service expands them. */
  names: string[];
  /** Number of expanded names. */
  count: number;
}

/**
 * Names on the command line. A word can contain several names separated by commas, as in the output, so that names can be pasted.
 *
 * @throws RangeSyntaxError
 * @throws CliError No name.
 */
export function namesOf(words: readonly string[]): Names {
  const names = words.flatMap(foldedItems);
  if (names.length === 0) throw usageError('no names specified');
  return { names, count: names.flatMap((name) => expandNames(name)).length };
}

/** Like {@link namesOf}, with ranges expanded; empty without words. */
export function expandedNames(words: readonly string[]): string[] {
  return words.length === 0 ? [] : namesOf(words).names.flatMap((name) => expandNames(name));
}

/**
 * The items with these names, sorted; without names, all of them. Prints unknown names and sets the exit code.
 *
 * @param what of an unknown name, such as `no such equipment`
 * @param hint if no known name is near
 */
export function findNamed<T extends { name: string }>(
  io: Pick<Io, 'err' | 'exitCode'>,
  names: readonly string[],
  all: readonly T[],
  what: string,
  hint?: string,
): T[] {
  const known = new Map(all.map((each) => [each.name, each]));
  const wanted = names.length === 0 ? [...known.keys()] : [...new Set(names)];
  const found = wanted.toSorted(byNumber).flatMap((name) => {
    const item = known.get(name);
    if (item === undefined) complain(io, `${name}: ${what}${didYouMean(name, known.keys(), hint)}`);
    return item ?? [];
  });
  if (found.length < wanted.length) failPartly(io, found.length > 0);
  return found;
}

/** The items of folded names. */
export function foldedItems(text: string): string[] {
  return text.match(/(?:\[[^\]]*\]|[^\s,])+/g) ?? [];
}
