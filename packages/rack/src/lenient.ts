/** A section that belongs to another service: what this version does not know or understand is left out of it. */
import type { z } from 'zod';

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
  let map = value;
  for (const key of path) {
    if (typeof map !== 'object' || map === null || !Object.hasOwn(map, key)) return;
    const next: unknown = Reflect.get(map, key);
    if (typeof next !== 'object' || next === null || Array.isArray(next) || key === path.at(-1)) {
      Reflect.deleteProperty(map, key);
      return;
    }
    map = next;
  }
}
