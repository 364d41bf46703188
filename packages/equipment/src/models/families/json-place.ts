/** Finds an outlet's state in a described answer: by JSON pointers (RFC 6901), and a condition for the element of a list. */
import { isObject } from '@skolo/base';
import { fillOutlet } from './described-facts.ts';

interface JsonPlace {
  /** Pointer to the list whose element is the outlet's; absent: the document. */
  list?: string | undefined;
  /** Fields of that element. */
  where?: Readonly<Record<string, string>> | undefined;
}

/** The outlet's part of a document. Undefined: the list is missing, or not exactly one element meets the condition. */
export function partOf(
  document: unknown,
  { list, where = {} }: JsonPlace,
  outlet: string,
): unknown {
  if (list === undefined) return document;
  const elements = valueAt(document, list, outlet);
  if (!Array.isArray(elements)) return undefined;
  const wanted = Object.entries(where).map(([key, value]) => [key, fillOutlet(value, outlet)]);
  const [found, ...more] = elements.filter(
    (element: unknown) =>
      isObject(element) && wanted.every(([key = '', value]) => textOf(element[key]) === value),
  );
  return more.length > 0 ? undefined : found;
}

/** Undefined: there is nothing at this place. */
export function valueAt(document: unknown, pointer: string, outlet: string): unknown {
  let value = document;
  for (const part of fillOutlet(pointer, outlet).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(value) && !Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, key) || (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(key)))
      return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** As expressions see it; undefined: it is not a scalar. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
