/** Where in the data something can go wrong: every key and item. */
export function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    [...path, key],
    ...pathsOf(item, [...path, key]),
  ]);
}
