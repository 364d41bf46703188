/** Settings of the agent of one machine: those of all, and what its own entry says differently. */
import type { Machine, Rack } from './rack.ts';
import type { SwarmingClientSettings } from './settings/swarming-client.ts';

/** What is in force on a machine. Maps are merged, everything else is replaced. */
export function swarmingSettings(
  rack: Pick<Rack, 'services'>,
  machine: Pick<Machine, 'swarming'>,
): SwarmingClientSettings {
  return merge(rack.services['swarming-client'], machine.swarming);
}

function merge<T extends object>(base: T, overrides: object): T {
  const merged: T = { ...base };
  for (const [key, value] of Object.entries(overrides)) {
    const before: unknown = Reflect.get(base, key);
    Reflect.set(merged, key, isMap(before) && isMap(value) ? merge(before, value) : value);
  }
  return merged;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
