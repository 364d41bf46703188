/** Decides which unknown keys are ignored: those of other services, which this version may not support. */
import { isObject } from '@skolo/base';
import type { z } from 'zod';
import { valueAt, without } from '../yaml/paths.ts';

/** The value without keys that the schema rejects; undefined if no part is valid. */
export function withoutUnknown(schema: z.ZodType, value: unknown): unknown {
  let kept = value;
  for (let round = 0; round < 20; round++) {
    const result = schema.safeParse(kept);
    if (result.success) return kept;
    for (const issue of result.error.issues) {
      const path = issue.path.map(String);
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
      const paths = keys.length === 0 ? [path] : keys.map((key) => [...path, key]);
      for (const rejected of paths) kept = withoutKey(kept, rejected);
    }
  }
  return undefined;
}

/** Without the key at the path; for a path within a list, without the list. */
function withoutKey(value: unknown, path: readonly string[]): unknown {
  const maps = path.findIndex((_, i) => !isObject(valueAt(value, path.slice(0, i + 1))));
  const key = maps < 0 ? path : path.slice(0, maps + 1);
  return isObject(value) && key.length > 0 ? without(value, key) : value;
}
