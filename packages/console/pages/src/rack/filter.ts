/** The rack's filter, which is part of its link. */
import type { Machine } from '@skolo/api/machine-state';

const filterKeys = ['condition', 'shelf', 'model', 'pool', 'code', 'cause', 'text'] as const;
export type Filter = Partial<Record<(typeof filterKeys)[number], string>>;

export function filterOf(query: URLSearchParams): Filter {
  const entries = filterKeys.flatMap((key) => {
    const value = query.get(key);
    return value ? [[key, value]] : [];
  });
  return Object.fromEntries(entries);
}

export function modelsOf({ kind, devices }: Machine): string[] {
  return [kind, ...devices.flatMap(({ dimensions }) => dimensions?.device_type ?? [])];
}

export function codesOf({ health }: Machine): string[] {
  return (health?.reasons ?? []).map(({ code }) => code);
}

/** Existing values, to choose from. */
export function valuesOf(
  machines: Iterable<Machine>,
  read: (machine: Machine) => readonly string[],
): string[] {
  return [...new Set([...machines].flatMap(read))].sort();
}
