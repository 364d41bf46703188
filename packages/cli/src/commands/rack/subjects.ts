/** Finds entries of the rack by name, outlet or address. */

import { models } from '@skolo/equipment/models';
import { didYouMean, expandNames, type Rack } from '@skolo/rack';
import { hubOutlet, outletText, type Subject } from './wiring.ts';

interface Found {
  subjects: Subject[];
  /** A message for each unknown word. */
  unknown: string[];
}

/**
 * Accepts names, ranges, outlets (`switch-1/14`) and addresses. Returns all matches: several entries can share an address, and an identity
 * can have the same name as another entry.
 *
 * @throws RangeSyntaxError
 */
export function findSubjects(rack: Rack, words: readonly string[]): Found {
  const named = subjectsOf(rack);
  const found: Found = { subjects: [], unknown: [] };
  for (const word of words.flatMap((each) => expandNames(each))) {
    const subjects = named.get(word) ?? outletOf(rack, word);
    if (subjects.length > 0) found.subjects.push(...subjects);
    else found.unknown.push(whyUnknown(rack, word));
  }
  return found;
}

/** By name, and by address. */
function subjectsOf(rack: Rack): Map<string, Subject[]> {
  const all = new Map<string, Subject[]>();
  function add(subject: Subject, ...keys: (string | undefined)[]) {
    for (const key of keys) {
      if (key !== undefined) all.set(key, [...(all.get(key) ?? []), subject]);
    }
  }
  const { jumphost } = rack;
  const { name, aliases, address } = jumphost;
  add({ is: 'jumphost', name, jumphost }, name, ...aliases, address);
  for (const equipment of rack.equipment.values()) {
    add({ is: 'equipment', name: equipment.name, equipment }, equipment.name, equipment.address);
  }
  for (const machine of rack.machines.values()) {
    add({ is: 'machine', name: machine.name, machine }, machine.name, machine.address);
    for (const phone of machine.devices) {
      const name = phone.fullName;
      const hubPort = phone.power && 'hub' in phone.power ? phone.power : undefined;
      add({ is: 'phone', name, phone, machine }, name, phone.address);
      if (hubPort === undefined) continue;
      const outlet = hubOutlet(machine.name, hubPort);
      const written = outletText(outlet);
      add({ is: 'outlet', name: written, outlet }, written);
    }
  }
  for (const identity of rack.identities.values()) {
    add({ is: 'identity', name: identity.name, identity }, identity.name);
  }
  return all;
}

/** An outlet or port, in its model's notation: `switch-1/0/14` is `switch-1/14`. */
function outletOf(rack: Rack, word: string): Subject[] {
  const { equipment, model, written } = partsOf(rack, word);
  if (equipment === undefined) return [];
  for (const numbering of [model?.power?.outlets, model?.network]) {
    const outlet = numbering?.find(written, equipment.options);
    if (outlet === undefined) continue;
    const found = { device: equipment.name, outlet };
    return [{ is: 'outlet', name: outletText(found), outlet: found }];
  }
  return [];
}

function partsOf(rack: Rack, word: string) {
  const [, name = word, written = ''] = /^([^/]*)\/(.*)$/.exec(word) ?? [];
  const equipment = rack.equipment.get(name);
  return { name, equipment, model: equipment && models.get(equipment.model), written };
}

function whyUnknown(rack: Rack, word: string): string {
  const { name, equipment, model } = partsOf(rack, word);
  const no = `${word}: not in ${rack.name}`;
  if (equipment === undefined || model === undefined) {
    const known = subjectsOf(rack).keys();
    return `${no}${didYouMean(name, known, 'run skolo inventory list to see all names')}`;
  }
  const { power, network } = model;
  const has = [
    power && `${power.outlets.noun} ${power.outlets.range(equipment.options)} for power`,
    network && `${network.noun} ${network.range(equipment.options)} for network`,
  ];
  const known = has.filter(Boolean).join(', ') || 'no outlets';
  return `${no}; ${equipment.name} (${model.label}) has ${known}`;
}
