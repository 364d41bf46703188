/** Decides which machines a query matches. */
import type { Machine } from './machine-state.ts';

export interface MachineFilter {
  shelf?: string | undefined;
  condition?: string | undefined;
  code?: string | undefined;
  cause?: string | undefined;
  model?: string | undefined;
  pool?: string | undefined;
  text?: string | undefined;
}

export function matches(machine: Machine, filter: MachineFilter): boolean {
  const { shelf, condition, code, cause, model, pool, text } = filter;
  return (
    (shelf === undefined || machine.shelf === shelf) &&
    (condition === undefined || machine.condition === condition) &&
    (code === undefined ||
      machine.health?.reasons.some((reason) => reason.code === code) === true) &&
    (cause === undefined || machine.cause === cause) &&
    (model === undefined || modelsOf(machine).has(model.toLowerCase())) &&
    (pool === undefined || machine.pools.includes(pool)) &&
    (text === undefined || hasWords(machine, text))
  );
}

/** In lower case: the machine's kind, and Swarming's names for its devices. */
export function modelsOf({ kind, devices }: Pick<Machine, 'kind' | 'devices'>): Set<string> {
  const seen = devices.flatMap(
    ({ kind, dimensions: { device_type = [], device_model = [] } = {} }) => [
      ...(kind === undefined ? [] : [kind]),
      ...device_type,
      ...device_model,
    ],
  );
  return new Set([kind, ...seen].map((each) => each.toLowerCase()));
}

function hasWords(machine: Machine, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const searched = JSON.stringify(machine).toLowerCase();
  return words.every((word) => searched.includes(word));
}
