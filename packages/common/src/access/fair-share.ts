/**
 * Who makes room when something shared is full: the oldest entry of the name that has most, the newcomer's included. So
 * callers only displace themselves, whoever they are and however many there are.
 *
 * @param all the oldest first
 * @returns undefined: the newcomer's name has most, and no entry yet
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
