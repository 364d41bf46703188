/** Checks aliases before they are resolved, because the library's errors have no position. */
import { type Document, isAlias, isCollection, isNode, isPair } from 'yaml';

/** Values that aliases may add to a file. */
const maxAdded = 100_000;

/**
 * Finds an alias without an anchor, one within its own anchor, or one that expands the file too much. Requires a document
 * of limited depth.
 */
export function wrongAlias(
  document: Document.Parsed,
): { message: string; offset: number } | undefined {
  /** Number of values of each anchor; undefined while counting. */
  const sizes = new Map<string, number | undefined>();
  let added = 0;
  let wrong: { message: string; offset: number } | undefined;

  const sizeOf = (item: unknown): number => {
    if (wrong !== undefined) return 0;
    if (isPair(item)) return sizeOf(item.key) + sizeOf(item.value);
    if (!isNode(item)) return 1;
    if (isAlias(item)) {
      const offset = item.range?.[0] ?? 0;
      const size = sizes.get(item.source);
      if (!sizes.has(item.source)) {
        const message =
          'unknown alias: no anchor (`&`) with this name precedes it; write the value, or put text that starts with `*` in quotes';
        wrong = { message, offset };
        return 0;
      }
      if (size === undefined) {
        wrong = { message: 'this alias is within its own anchor; write the value', offset };
        return 0;
      }
      added += size;
      if (added > maxAdded) {
        const message = `aliases add more than ${maxAdded} values to this file; write the values, or use ranges`;
        wrong = { message, offset };
      }
      return size;
    }
    if (item.anchor !== undefined) sizes.set(item.anchor, undefined);
    const items = isCollection(item) ? item.items : [];
    const size = items.reduce<number>((sum, each) => sum + sizeOf(each), 1);
    if (item.anchor !== undefined) sizes.set(item.anchor, size);
    return size;
  };
  sizeOf(document.contents);
  return wrong;
}
