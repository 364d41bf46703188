/** Values at a path in plain data. A list has indices, as numbers or as text. */
import { isObject } from '@skolo/base';

/** Undefined if there is none. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((found, key) => {
    if (Array.isArray(found)) return found[Number(key)];
    return isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }, value);
}

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
  if (!isObject(value)) return value;
  const { [key]: found, ...others } = value;
  if (rest.length === 0 && instead === undefined) return others;
  return { ...value, [key]: without(found, rest, instead) };
}
