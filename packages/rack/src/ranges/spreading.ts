/** Marks of schemas: values that accept a list with one item per name, and values without ranges. */
import { isObject } from '@skolo/base';
import { spreading } from '@skolo/equipment/models';
import { z } from 'zod';
import { escapeRange } from './ranges.ts';

/** Accepts a list with one value per name. */
export function each<T extends z.ZodType>(schema: T): T {
  const own = schema.clone();
  spreading.add(own, { as: 'each' });
  return own;
}

/** The marks of a schema and of its parts. */
export interface Spread {
  as?: 'each' | 'literal';
  keys: ReadonlyMap<string, Spread>;
  items?: Spread;
}

/** Unwraps defaults, options and refinements. */
export function spreadOf(schema: z.core.$ZodType): Spread {
  let inner = schema;
  for (;;) {
    const as = spreading.get(inner)?.as;
    if (as !== undefined) return { as, keys: new Map() };
    if (
      inner instanceof z.ZodExactOptional ||
      inner instanceof z.ZodDefault ||
      inner instanceof z.ZodPrefault
    ) {
      inner = inner.unwrap();
    } else if (inner instanceof z.ZodPipe) {
      inner = inner.in;
    } else {
      break;
    }
  }
  if (inner instanceof z.ZodObject) {
    return {
      keys: new Map(Object.entries(inner.shape).map(([key, value]) => [key, spreadOf(value)])),
    };
  }
  if (inner instanceof z.ZodArray) return { keys: new Map(), items: spreadOf(inner.element) };
  return { keys: new Map() };
}

/** Escapes brackets that would be a range. */
export function escaped(value: unknown, spread: Spread | undefined): unknown {
  if (spread?.as === 'literal') return value;
  if (typeof value === 'string') return escapeRange(value);
  if (Array.isArray(value)) return value.map((item) => escaped(item, spread?.items));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, escaped(item, spread?.keys.get(key))]),
  );
}
