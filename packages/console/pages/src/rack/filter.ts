/** Parses the filter of machines, which is part of a link. */

const filterKeys = ['condition', 'shelf', 'model', 'pool', 'code', 'cause', 'text'] as const;
export type Filter = Partial<Record<(typeof filterKeys)[number], string>>;

export function filterOf(query: URLSearchParams): Filter {
  const entries = filterKeys.flatMap((key) => {
    const value = query.get(key);
    return value ? [[key, value]] : [];
  });
  return Object.fromEntries(entries);
}
