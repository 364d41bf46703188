/**
 * Fields of objects, as `metadata.managedFields` names them (FieldsV1 of structured-merge-diff): `f:NAME` is a field,
 * `k:{…}` a list item by its keys, `v:…` an item by its value, `i:N` an item by its position, `.` the item itself. A
 * name without others below it stands for a whole value.
 */

import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@skolo/base';
import { z } from 'zod';
import type { FieldOwner } from './objects.ts';

export type FieldSet = Readonly<Record<string, unknown>>;

export const Fields = z.record(z.string(), z.unknown());

/** Fields that are in one of them. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, key === '.' ? {} : union(below(a, key), below(b, key))]),
  );
}

/** The part of a value that the set contains, always including the keys of list items. */
export function pick(value: unknown, set: FieldSet): unknown {
  const steps = stepsOf(set);
  if (steps.length === 0) return value;
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      const step = steps.find((each) => isItem(item, index, each));
      if (step === undefined) return [];
      const picked = pick(item, below(set, step));
      return [step.startsWith('k:') ? { ...keysOf(step), ...Fields.parse(picked) } : picked];
    });
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]) => {
      const step = `f:${name}`;
      return step in set ? [[name, pick(child, below(set, step))]] : [];
    }),
  );
}

export const FieldChange = z.object({
  /** `spec.template.spec.containers[name=metadata-server].image` */
  path: z.string(),
  /** Absent: it was added. */
  from: z.unknown().optional(),
  /** Absent: it is removed. */
  to: z.unknown().optional(),
  /** Another manager that wrote `from`. */
  writtenBy: z.string().exactOptional(),
});
export type FieldChange = z.infer<typeof FieldChange>;

/**
 * Differences between two versions of an object in these fields.
 *
 * @param others owners of fields of the earlier version that are not ours
 */
export function differences(
  set: FieldSet,
  from: unknown,
  to: unknown,
  others: readonly FieldOwner[] = [],
): FieldChange[] {
  return [
    ...changes(
      set,
      from,
      to,
      others.map(({ manager, fieldsV1 }) => ({ manager, set: fieldsV1 })),
      '',
    ),
  ];
}

interface Owner {
  manager: string;
  set: FieldSet;
}

function* changes(
  set: FieldSet,
  from: unknown,
  to: unknown,
  owners: readonly Owner[],
  path: string,
): Generator<FieldChange> {
  const steps = stepsOf(set);
  const [owner] = owners;
  if (steps.length === 0 || from === undefined || to === undefined) {
    if (isDeepStrictEqual(from, to)) return;
    yield {
      path,
      ...(from !== undefined && { from: pick(from, set) }),
      ...(to !== undefined && { to: pick(to, set) }),
      ...(owner && from !== undefined && { writtenBy: owner.manager }),
    };
    return;
  }
  for (const step of steps) {
    const inside = owners.flatMap(({ manager, set: owned }) => {
      // A manager that owns a whole value owns everything in it.
      if (stepsOf(owned).length === 0) return [{ manager, set: owned }];
      return step in owned ? [{ manager, set: below(owned, step) }] : [];
    });
    yield* changes(
      below(set, step),
      child(from, step),
      child(to, step),
      inside,
      pathBelow(path, step),
    );
  }
}

/** Paths of all fields in the set. */
export function pathsOf(set: FieldSet, path = ''): string[] {
  const steps = stepsOf(set);
  if (steps.length === 0) return [path];
  return steps.flatMap((step) => pathsOf(below(set, step), pathBelow(path, step)));
}

function stepsOf(set: FieldSet): string[] {
  return Object.keys(set).filter((key) => key !== '.');
}

function below(set: FieldSet, key: string): FieldSet {
  return Fields.safeParse(set[key]).data ?? {};
}

function child(value: unknown, step: string): unknown {
  if (step.startsWith('f:')) return isObject(value) ? value[step.slice(2)] : undefined;
  if (!Array.isArray(value)) return undefined;
  return value.find((item: unknown, index) => isItem(item, index, step));
}

function isItem(item: unknown, index: number, step: string): boolean {
  const text = step.slice(2);
  if (step.startsWith('i:')) return index === Number(text);
  if (step.startsWith('v:')) return isDeepStrictEqual(item, JSON.parse(text));
  if (!step.startsWith('k:') || !isObject(item)) return false;
  return Object.entries(keysOf(step)).every(([name, value]) =>
    isDeepStrictEqual(item[name], value),
  );
}

function keysOf(step: string): Record<string, unknown> {
  return Fields.parse(JSON.parse(step.slice(2)));
}

function pathBelow(path: string, step: string): string {
  const text = step.slice(2);
  if (step.startsWith('k:')) {
    const keys = Object.entries(keysOf(step)).map(([name, value]) => `${name}=${value}`);
    return `${path}[${keys.join(',')}]`;
  }
  if (!step.startsWith('f:')) return `${path}[${text}]`;
  // Keys of ConfigMaps and labels contain dots.
  const name = /[./]/.test(text) ? `"${text}"` : text;
  return path === '' ? name : `${path}.${name}`;
}
