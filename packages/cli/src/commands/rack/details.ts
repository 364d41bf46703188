/** Entries of the rack with their wiring. */
import { count, isObject } from '@skolo/base';
import { models } from '@skolo/equipment/models';
import { expandedInventory, foldValues, type Json, type Rack } from '@skolo/rack';
import type { Io } from '../../io.ts';
import { type Fact, factsText } from '../../output/facts.ts';
import type { Subject } from './wiring.ts';
import { allPlugged, darkWithout, needsOf, outletText, type Plugged, phoneText } from './wiring.ts';

interface Detail {
  subject: Subject;
  /** Plugged into it. */
  plugged: Plugged[];
  dependsOn: string[];
  goesDark: string[];
}

export function detailsOf(rack: Rack, subjects: readonly Subject[]): Detail[] {
  const all = allPlugged(rack);
  return subjects.map((subject) => ({
    subject,
    plugged: all.filter(({ outlet }) =>
      subject.is === 'outlet'
        ? outletText(outlet) === outletText(subject.outlet)
        : outlet.device === subject.name,
    ),
    dependsOn: needsOf(rack, subject),
    goesDark: darkWithout(rack, subject),
  }));
}

/**
 * `skolo rack show NAME --json`. `entry` is from the expanded rack.yaml; `plugged` lists outlets with what they feed or connect.
 */
export function detailsAsJson(rack: Rack, details: readonly Detail[]) {
  const inventory = expandedInventory(rack);
  return details.map(({ subject, plugged, dependsOn, goesDark }) => ({
    name: subject.name,
    is: subject.is,
    ...(subject.is === 'phone' && { machine: subject.machine.name }),
    entry: entryOf(inventory, subject),
    ...inferredOf(subject),
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

function inferredOf(subject: Subject): { inferred?: { uplink: string } } {
  const { uplink, uplinkIsInferred } = subject.is === 'machine' ? subject.machine : {};
  return uplink && uplinkIsInferred ? { inferred: { uplink: outletText(uplink) } } : {};
}

function entryOf(inventory: Json, subject: Subject): Json | undefined {
  const { is, name } = subject;
  if (is === 'jumphost') return at(inventory, 'jumphost');
  if (is === 'machine') return at(inventory, 'machines', name);
  if (is === 'equipment') return at(inventory, 'equipment', name);
  if (is === 'identity') return at(inventory, 'identities', name);
  if (is === 'outlet') return undefined;
  const phones = at(inventory, 'machines', subject.machine.name, 'devices');
  return Array.isArray(phones) ? phones[subject.machine.devices.indexOf(subject.phone)] : undefined;
}

function at(value: Json | undefined, ...keys: string[]): Json | undefined {
  let found = value;
  for (const key of keys) {
    if (!isObject(found)) return undefined;
    found = found[key];
  }
  return found;
}

export function printDetails(io: Io, rack: Rack, details: readonly Detail[]): void {
  io.out(details.map((detail) => detailText(io, rack, detail)).join('\n\n'));
}

function detailText(io: Io, rack: Rack, detail: Detail): string {
  const { subject, plugged } = detail;
  const facts: Fact[] = factsOf(rack, subject);
  if (subject.is !== 'identity') {
    facts.push(...pluggedFacts(subject, plugged), ...dependencyFacts(rack, detail));
  }
  return factsText(io, subject.name, facts);
}

export function dependencyFacts(rack: Rack, { subject, dependsOn, goesDark }: Detail): Fact[] {
  return [
    ['depends on', dependsOn.length === 0 ? 'nothing in the rack' : dependsOn],
    ['dependents', darkText(rack, subject, goesDark)],
  ];
}

function factsOf(rack: Rack, subject: Subject): Fact[] {
  switch (subject.is) {
    case 'machine': {
      const { kind, shelf, label, address, mac, power, uplink, identity, login, devices } =
        subject.machine;
      const inferred = subject.machine.uplinkIsInferred ? ' (inferred: powers it)' : '';
      return [
        ['machine', kind],
        ['shelf', shelf],
        ['label', label],
        ['address', address],
        ['mac', mac],
        ['power', power.map(outletText)],
        ['uplink', uplink && `${outletText(uplink)}${inferred}`],
        ['identity', identity ?? defaultIdentity(rack)],
        ['login', login],
        ['phones', devices.map((phone) => `${phone.fullName} (${phone.kind})`)],
      ];
    }
    case 'equipment': {
      const { model, transport, address, mac, power, uplink, login, serial } = subject.equipment;
      return [
        ['equipment', `${models.get(model)?.label ?? model} (${model}), over ${transport}`],
        ['address', address],
        ['mac', mac],
        ['serial', serial],
        ['power', power.map(outletText)],
        ['uplink', uplink && outletText(uplink)],
        ['login', login],
      ];
    }
    case 'jumphost': {
      const { address, aliases, mac, power, uplink, identity } = subject.jumphost;
      return [
        ['jumphost', aliases.length === 0 ? rack.name : `${rack.name}, also ${aliases.join(', ')}`],
        ['address', address],
        ['mac', mac],
        ['power', power.map(outletText)],
        ['uplink', uplink && outletText(uplink)],
        ['identity', identity],
      ];
    }
    case 'phone': {
      const { serial, address, power } = subject.phone;
      return [
        ['phone', `${phoneText(subject.phone)}, of ${subject.machine.name}`],
        ['serial', serial],
        ['address', address],
        ['power', power && outletText(power)],
      ];
    }
    case 'outlet':
      return [['outlet', `on ${subject.outlet.device}`]];
    case 'identity': {
      const { email, project, scopes, credentials, name } = subject.identity;
      return [
        ['identity', `in project ${project}`],
        ['email', email],
        ['credentials', credentials.kind],
        ['scopes', scopes],
        ['used by', folded(usersOf(rack, name))],
      ];
    }
  }
}

function defaultIdentity({ defaultIdentity }: Rack): string {
  return defaultIdentity === undefined ? 'none' : `${defaultIdentity} (the default)`;
}

function usersOf(rack: Rack, identity: string): string[] {
  const { jumphost, machines, defaultIdentity, services } = rack;
  const entries = [jumphost, ...machines.values()];
  return [
    ...entries.flatMap((entry) => (entry.identity === identity ? [entry.name] : [])),
    ...services['metadata-server'].callers.flatMap((caller) =>
      caller.identity === identity ? [caller.cidr] : [],
    ),
    ...(defaultIdentity === identity ? ['all other callers (defaultIdentity)'] : []),
  ];
}

function pluggedFacts(subject: Subject, plugged: Plugged[]): Fact[] {
  if (subject.is === 'outlet') {
    const used = (use: Plugged['use']) =>
      plugged.filter((each) => each.use === use).map((each) => each.name + otherFeedsText(each));
    const feeds = used('power');
    return [
      ['powers', feeds.length > 0 ? feeds : 'nothing in rack.yaml'],
      ['connects', used('network')],
    ];
  }
  return subject.is === 'equipment' ? [['in use', { lines: outletLines(plugged) }]] : [];
}

function otherFeedsText({ otherFeeds }: Plugged): string {
  return otherFeeds.length === 0
    ? ''
    : ` (also powered by ${otherFeeds.map(outletText).join(', ')})`;
}

/** `14  rpi-014: power, network`, in the order of the outlets. */
function outletLines(plugged: Plugged[]): string[] {
  const uses = new Map<string, { outlet: string; name: string; use: string[] }>();
  for (const { outlet, name, use } of plugged) {
    const key = `${outlet.outlet} ${name}`;
    const known = uses.get(key);
    if (known) known.use.push(use);
    else uses.set(key, { outlet: outlet.outlet || '-', name, use: [use] });
  }
  const sorted = [...uses.values()].sort((a, b) =>
    a.outlet.localeCompare(b.outlet, 'en', { numeric: true }),
  );
  const width = Math.max(...sorted.map(({ outlet }) => outlet.length));
  return sorted.map(
    ({ outlet, name, use }) => `${outlet.padEnd(width)}  ${name}: ${use.join(', ')}`,
  );
}

/** Grouped, because there can be hundreds. */
function darkText(rack: Rack, subject: Subject, names: string[]): Fact[1] {
  if (names.length === 0) return subject.is === 'outlet' ? 'nothing' : 'nothing else';
  const { machines, equipment, jumphost } = rack;
  const group = (of: (name: string) => boolean) => names.filter(of);
  const dark = {
    jumphost: group((name) => name === jumphost.name),
    machines: group((name) => machines.has(name)),
    devices: group((name) => equipment.has(name)),
  };
  const lost = new Set(names);
  const phones = [...machines.values()]
    .flatMap(({ devices }) => devices)
    .filter(({ fullName }) => lost.has(fullName))
    // By phone name first, so that they fold to ranges.
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
    .map(({ fullName }) => fullName);
  return {
    lines: [
      ...dark.jumphost.map((name) => `the jumphost ${name}`),
      ...grouped(dark.machines, 'machine'),
      ...grouped(dark.devices, 'piece of equipment', 'pieces of equipment'),
      ...grouped(phones, 'phone'),
    ],
  };
}

function grouped(names: string[], ...nouns: [string, string?]): string[] {
  return names.length === 0 ? [] : [`${count(names.length, ...nouns)}: ${folded(names)}`];
}

function folded(names: string[]): string {
  return foldValues(names).join(', ');
}
