/** Settings of the agent of one machine, which override those of the rack. */

import { isObject } from '@skolo/base';
import type { SwarmingClientSettings } from '../schema/settings/swarming-client.ts';
import type { Machine, Rack } from './rack.ts';

/** Merges overrides of the machine: maps are merged, other values replaced. */
export function swarmingSettings(
  rack: Pick<Rack, 'services'>,
  machine: Pick<Machine, 'swarming'>,
): SwarmingClientSettings {
  return merge(rack.services['swarming-client'], machine.swarming);
}

function merge<T extends object>(base: T, overrides: object): T {
  const changes = Object.entries(overrides).map(([key, value]) => {
    const before: unknown = Reflect.get(base, key);
    return [key, isObject(before) && isObject(value) ? merge(before, value) : value];
  });
  return { ...base, ...Object.fromEntries(changes) };
}
