/** A section that belongs to another service: what this version does not know or understand is left out of it. */
import type { z } from 'zod';
import { isMap } from './plain.ts';

/** The value without the keys that the schema refuses; undefined where nothing of it can be kept. */
export function withoutRefused(schema: z.ZodType, value: unknown): unknown {
  const kept: unknown = structuredClone(value);
  for (let round = 0; round < 20; round++) {
    const result = schema.safeParse(kept);
    if (result.success) return kept;
    for (const issue of result.error.issues) {
      const path = issue.path.map(String);
      const paths =
        issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
      for (const refused of paths) remove(kept, refused);
    }
  }
  return undefined;
}

/** Removes the key at the path; of something within a list, the list. */
function remove(value: unknown, path: readonly string[]): void {
  const [key, ...rest] = path;
  if (!isMap(value) || key === undefined || !Object.hasOwn(value, key)) return;
  const next = value[key];
  if (rest.length > 0 && isMap(next)) remove(next, rest);
  else Reflect.deleteProperty(value, key);
}
