/** Names as a person types them, and as they are shown to him. */
import { usageError } from './errors.ts';

export interface Names {
  /** As typed, ranges and all: the service knows what they mean. */
  names: string[];
  /** How many they stand for. */
  count: number;
}

/**
 * What stands on the command line. A word may hold several names with commas between, since that is how ranges are
 * shown; so what was shown can be pasted.
 *
 * @throws RangeSyntaxError
 * @throws CliError There is none.
 */
export async function namesOf(words: readonly string[]): Promise<Names> {
  const names = words.flatMap(foldedItems);
  if (names.length === 0) throw usageError('there is no name in it; give one');
  return { names, count: (await expanded(names)).length };
}

/** Each by itself. Only who has a range loads what knows ranges. @throws RangeSyntaxError */
export async function expanded(names: readonly string[]): Promise<string[]> {
  if (!names.some((name) => /[[\]]/.test(name))) return [...names];
  const { expandNames } = await import('@skolo/rack');
  return names.flatMap((name) => expandNames(name));
}

/** Short text for many names, in the order of their numbers: `rpi-[001-040],spare`. */
export async function folded(names: readonly string[]): Promise<string> {
  if (names.length <= 1) return names.join('');
  const { foldRange } = await import('@skolo/rack');
  // Those that differ only in numbers side by side: machines and their phones would take turns otherwise.
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
