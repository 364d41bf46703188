import { expandedInventory, type Json, type Rack } from '@skolo/rack';
import type { Detail } from './details.ts';
import type { Subject } from './subjects.ts';
import { outletText } from './wiring-text.ts';

/**
 * `skolo rack show NAME --json`. `entry` is as in the expanded rack.yaml; `plugged` says by outlet what it feeds and what it connects.
 */
export function detailsAsJson(rack: Rack, details: readonly Detail[]) {
  const inventory = expandedInventory(rack);
  return details.map(({ subject, plugged, dependsOn, goesDark }) => ({
    name: subject.name,
    is: subject.is,
    ...(subject.is === 'phone' && { machine: subject.machine.name }),
    entry: entryOf(inventory, subject),
    plugged: plugged.map(({ outlet, name, use, otherFeeds }) => ({
      outlet: outletText(outlet),
      name,
      use,
      ...(otherFeeds.length > 0 && { otherFeeds: otherFeeds.map(outletText) }),
    })),
    dependsOn,
    goesDark,
  }));
}

function entryOf(inventory: Json, subject: Subject): Json | undefined {
  const { is, name } = subject;
  if (is === 'jumphost') return at(inventory, 'jumphost');
  if (is === 'machine') return at(inventory, 'machines', name);
  if (is === 'device') return at(inventory, 'infrastructure', name);
  if (is === 'identity') return at(inventory, 'identities', name);
  if (is === 'outlet') return undefined;
  const phones = at(inventory, 'machines', subject.machine.name, 'devices');
  return Array.isArray(phones) ? phones[subject.machine.devices.indexOf(subject.phone)] : undefined;
}

function at(value: Json | undefined, ...keys: string[]): Json | undefined {
  let found = value;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    found = found[key];
  }
  return found;
}
