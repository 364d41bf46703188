/** Names as typed and as printed. */
import { usageError } from './errors.ts';

export interface Names {
  /** As typed, with ranges; the service expands them. */
  names: string[];
  /** Number of expanded names. */
  count: number;
}

/**
 * Names on the command line. A word can have several names separated by commas, as printed ones do, so that these can
 * be pasted.
 *
 * @throws RangeSyntaxError
 * @throws CliError No name.
 */
export async function namesOf(words: readonly string[]): Promise<Names> {
  const names = words.flatMap(foldedItems);
  if (names.length === 0) throw usageError('no name; give one');
  return { names, count: (await expanded(names)).length };
}

/** Expands ranges. @throws RangeSyntaxError */
export async function expanded(names: readonly string[]): Promise<string[]> {
  if (!names.some((name) => /[[\]]/.test(name))) return [...names];
  const { expandNames } = await import('@skolo/rack');
  return names.flatMap((name) => expandNames(name));
}

/** Sorted and folded to ranges: `rpi-[001-040],spare`. */
export async function folded(names: readonly string[]): Promise<string> {
  if (names.length <= 1) return names.join('');
  const { foldRange } = await import('@skolo/rack');
  // Group by form first, so that machines and their phones do not alternate.
  const alike = new Map<string, string[]>();
  for (const name of [...new Set(names)].sort(byNumber)) {
    const form = name.replaceAll(/\d+/g, '0');
    alike.set(form, [...(alike.get(form) ?? []), name]);
  }
  return foldRange([...alike.values()].flat());
}

/** The items of folded names. */
export function foldedItems(text: string): string[] {
  return text.match(/(?:\[[^\]]*\]|[^\s,])+/g) ?? [];
}

const collator = new Intl.Collator('en', { numeric: true });

/** `rpi-9` before `rpi-10`. */
export function byNumber(a: string, b: string): number {
  return collator.compare(a, b);
}
