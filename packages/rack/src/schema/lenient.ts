/** Sections of other services: leaves out what this version does not know. */
import type { z } from 'zod';
import { isMap } from '../yaml/plain.ts';

/** The value without keys that the schema rejects; undefined if no part is valid. */
export function withoutUnknown(schema: z.ZodType, value: unknown): unknown {
  const kept: unknown = structuredClone(value);
  for (let round = 0; round < 20; round++) {
    const result = schema.safeParse(kept);
    if (result.success) return kept;
    for (const issue of result.error.issues) {
      const path = issue.path.map(String);
      const paths =
        issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
      for (const rejected of paths) remove(kept, rejected);
    }
  }
  return undefined;
}

/** Removes the key at the path; for a path within a list, the list. */
function remove(value: unknown, path: readonly string[]): void {
  const [key, ...rest] = path;
  if (!isMap(value) || key === undefined || !Object.hasOwn(value, key)) return;
  const next = value[key];
  if (rest.length > 0 && isMap(next)) remove(next, rest);
  else Reflect.deleteProperty(value, key);
}
