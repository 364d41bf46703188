import { isMap } from '../yaml/plain.ts';

/** A copy without the value at the path, or with `instead`. Keeps the original: anchors share parts. */
export function without(value: unknown, path: readonly string[], instead?: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return instead;
  if (Array.isArray(value)) {
    const changed: unknown[] = value.map((item, i) =>
      String(i) === key ? without(item, rest, instead) : item,
    );
    return rest.length === 0 && instead === undefined
      ? changed.filter((_, i) => String(i) !== key)
      : changed;
  }
  if (!isMap(value)) return value;
  const { [key]: found, ...others } = value;
  if (rest.length === 0 && instead === undefined) return others;
  return { ...value, [key]: without(found, rest, instead) };
}
