/** Reads top-level keys of rack.yaml that are written with their previous names as if they had the current ones. */
import { isMap, isScalar } from 'yaml';

/** Until version 1.0: a jumphost that upgrades itself, the last valid copy and a rollback contain the previous names. */
export const previousKeys: ReadonlyMap<unknown, string> = new Map([
  ['infrastructure', 'equipment'],
]);

/**
 * Renames keys in a parsed document, unless it contains the current one, too. Their `source` stays.
 *
 * @returns the current names of those that it renamed
 */
export function renamePrevious(contents: unknown): string[] {
  if (!isMap(contents)) return [];
  return contents.items.flatMap(({ key }) => {
    const now = isScalar(key) ? previousKeys.get(key.value) : undefined;
    if (!isScalar(key) || now === undefined || contents.has(now)) return [];
    key.value = now;
    return [now];
  });
}
