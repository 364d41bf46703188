/**
 * Decides who loses an entry when a shared resource is full: the name with most entries, its oldest one, so callers only displace themselves.
 *
 * @param all oldest first
 * @returns undefined: the newcomer's name would have most, but has no entry yet
 */
export function whoMakesRoom<T extends { name: string }>(
  all: Iterable<T>,
  newcomer: string,
): T | undefined {
  const entries = [...all];
  const counts = new Map([[newcomer, 1]]);
  for (const { name } of entries) counts.set(name, (counts.get(name) ?? 0) + 1);
  const [most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return entries.find(({ name }) => name === most);
}
