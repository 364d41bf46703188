/**
 * Converts plain data to a rack: checks each section with its schema, expands ranges, fills in defaults, and decides which entries are
 * omitted for their errors. Omits an entry with an error but keeps its name, so that all errors are found at once.
 */

import { dirname, resolve } from 'node:path';
import { isObject } from '@skolo/base';
import { type Model, modelNamed, models } from '@skolo/equipment/models';
import { z } from 'zod';
import { type Checked, check } from '../issues/describe.ts';
import { type Path, type Problem, shown } from '../issues/issues.ts';
import { didYouMean } from '../issues/suggest.ts';
import type { Equipment, Machine } from '../rack/rack.ts';
import type { Expanded } from '../ranges/expand.ts';
import { spreadOf } from '../ranges/spreading.ts';
import { equipmentEntry, spreadOfEquipment } from '../schema/equipment-schema.ts';
import { withoutUnknown } from '../schema/lenient.ts';
import { machineSchema } from '../schema/machine-schema.ts';
import { headSchema, identitySchema, loginSchema } from '../schema/rack-schema.ts';
import type { ServiceName } from '../schema/service-ports.ts';
import { type Draft, type Report, reportTo } from './draft.ts';
import { readEquipment, readIdentity, readLogin, readMachine } from './entries.ts';
import { inferUplinks } from './infer-uplinks.ts';
import { readLabModels, withLabModels } from './lab-models.ts';
import type { Omissions } from './omissions.ts';
import { checkEach, rangedEntries, singleEntries } from './sections.ts';
import { readServices } from './services.ts';

export interface BuildOptions {
  file: string;
  strictFor?: ServiceName;
  /** Entries to omit. Paths then contain the name instead of the range. */
  omissions?: Omissions;
}

const topKeys = [
  ...Object.keys(headSchema),
  'identities',
  'logins',
  'models',
  'equipment',
  'machines',
  'services',
];

export function build(
  value: unknown,
  { file, strictFor, omissions }: BuildOptions,
): { draft: Draft; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = reportTo(problems);
  const valueOrReport = <T>(checked: Checked<T>): T | undefined => {
    problems.push(...(checked.problems ?? []));
    return checked.value;
  };
  const top = isObject(value) ? value : {};
  const draft = emptyDraft(file, top, strictFor, problems);
  if (!isObject(value)) {
    const isEmpty = value === null || value === undefined;
    const message = isEmpty
      ? 'is empty; a rack.yaml starts with `rack: NAME`'
      : `expected a map, found ${shown(value)}`;
    report([], 'type', message);
    return { draft, problems };
  }
  for (const key of Object.keys(top).filter((key) => !topKeys.includes(key))) {
    report([key], 'unknown key', `unknown key "${key}"${didYouMean(key, topKeys)}`, 'key');
  }

  const { rack } = draft;
  readHead(top, draft, valueOrReport);
  for (const { name, raw, path } of singleEntries('identities', top, draft, report)) {
    const written = valueOrReport(check(identitySchema, raw, path));
    const identity = written && readIdentity(name, written, path, report);
    if (identity) addEntry(draft, rack.identities, identity, path);
  }
  for (const { name, raw, path } of singleEntries('logins', top, draft, report)) {
    const written = valueOrReport(check(loginSchema, raw, path));
    if (written) addEntry(draft, rack.logins, readLogin(name, written, path, report), path);
  }
  draft.labModels = readLabModels(top, problems, report);
  const described = withLabModels(top, draft.labModels, report);
  const readRanged = { top: described.top, draft, problems, omissions };
  for (const entry of rangedEntries('equipment', spreadOfEquipment, readRanged)) {
    const model = modelOf(entry.entryOf(0), entry.path, draft, report);
    if (model === undefined) continue;
    const description = described.used.get(String(entry.path[1]));
    for (const { name, path, checked } of checkEach(equipmentEntry(model), entry)) {
      const written = valueOrReport(checked);
      const read = written && readEquipment(name, written, model, path, report);
      const equipment = read && { ...read, ...(description !== undefined && { description }) };
      if (equipment) addEntry(draft, rack.equipment, withoutDropped(equipment, omissions), path);
    }
  }
  const isLenient = strictFor !== undefined && strictFor !== 'swarming-client';
  for (const entry of rangedEntries('machines', () => machineSpread, readRanged)) {
    for (const { name, path, checked } of checkEach(
      machineSchema,
      isLenient ? lenient(entry) : entry,
    )) {
      const written = valueOrReport(checked);
      if (written === undefined) continue;
      const machine = readMachine(name, written, path, draft, report);
      addEntry(draft, rack.machines, machineWithoutDropped(machine, omissions), path);
    }
  }
  inferUplinks(draft, omissions);
  return { draft, problems };
}

/** The keys that are not sections by name. */
function readHead(
  top: Record<string, unknown>,
  draft: Draft,
  valueOrReport: <T>(checked: Checked<T>) => T | undefined,
): void {
  const { rack } = draft;
  rack.name = valueOrReport(check(headSchema.rack, top.rack, ['rack'])) ?? rack.name;
  rack.timezone =
    valueOrReport(check(headSchema.timezone, top.timezone, ['timezone'])) ?? rack.timezone;
  rack.acts = valueOrReport(check(headSchema.acts, top.acts, ['acts'])) ?? rack.acts;
  rack.network = valueOrReport(check(headSchema.network, top.network, ['network'])) ?? rack.network;
  rack.access = valueOrReport(check(headSchema.access, top.access, ['access'])) ?? rack.access;
  rack.secrets = valueOrReport(check(headSchema.secrets, top.secrets, ['secrets'])) ?? rack.secrets;
  const { alertmanager = rack.services['machine-state'].alertmanager } = top;
  if (alertmanager !== undefined) {
    const url = valueOrReport(check(headSchema.alertmanager, alertmanager, ['alertmanager']));
    if (url !== undefined) rack.alertmanager = url;
  }
  const jumphost = valueOrReport(check(headSchema.jumphost, top.jumphost, ['jumphost']));
  if (jumphost !== undefined) addJumphost(draft, jumphost);
  if (top.defaultIdentity !== undefined) {
    rack.defaultIdentity =
      valueOrReport(check(z.string(), top.defaultIdentity, ['defaultIdentity'])) ?? '';
  }
}

function emptyDraft(
  file: string,
  top: Record<string, unknown>,
  strictFor: ServiceName | undefined,
  problems: Problem[],
): Draft {
  return {
    rack: {
      name: '',
      timezone: 'UTC',
      acts: false,
      network: { domain: 'lan' },
      identities: new Map(),
      access: { anonymousRead: [] },
      secrets: { shared: {} },
      logins: new Map(),
      equipment: new Map(),
      machines: new Map(),
      services: readServices(top.services, strictFor, problems),
      dir: dirname(resolve(file)),
    },
    declared: {
      identities: new Set(),
      logins: new Set(),
      equipment: new Set(),
      machines: new Set(),
    },
    omitted: new Set(),
    named: [],
    where: new Map(),
    labModels: new Map(),
  };
}

function addEntry<T extends { name: string }>(
  draft: Draft,
  map: Map<string, T>,
  entry: T,
  path: Path,
): void {
  draft.where.set(entry, path);
  // checkNames reports duplicates; the first entry is used.
  if (!map.has(entry.name)) map.set(entry.name, entry);
}

function addJumphost(
  draft: Draft,
  { power = [], ...rest }: z.output<typeof headSchema.jumphost>,
): void {
  const jumphost = { ...rest, power };
  draft.rack.jumphost = jumphost;
  draft.where.set(jumphost, ['jumphost']);
  draft.named.push({ name: jumphost.name, what: 'the jumphost', path: ['jumphost', 'name'] });
  jumphost.aliases.forEach((name, i) => {
    draft.named.push({ name, what: 'an alias of the jumphost', path: ['jumphost', 'aliases', i] });
  });
}

/** Without keys that refer to disabled entries. */
function withoutDropped(equipment: Equipment, omissions: Omissions | undefined): Equipment {
  const dropped = omissions?.dropped('equipment', equipment.name);
  if (dropped === undefined || dropped.size === 0) return equipment;
  const { power, uplink, ...rest } = equipment;
  return {
    ...rest,
    power: dropped.has('power') ? [] : power,
    ...(uplink !== undefined && !dropped.has('uplink') && { uplink }),
  };
}

function machineWithoutDropped(machine: Machine, omissions: Omissions | undefined): Machine {
  const dropped = omissions?.dropped('machines', machine.name);
  if (dropped === undefined || dropped.size === 0) return machine;
  const { power, uplink, login, devices, ...rest } = machine;
  return {
    ...rest,
    power: dropped.has('power') ? [] : power,
    ...(uplink !== undefined && !dropped.has('uplink') && { uplink }),
    ...(login !== undefined && !dropped.has('login') && { login }),
    devices: dropped.has('devices') ? [] : devices,
    // Without the key, it would get the default identity.
    ...(dropped.has('identity') && { identity: 'none' }),
  };
}

const machineSpread = spreadOf(machineSchema);

function modelOf(
  raw: unknown,
  path: Path,
  { labModels }: Draft,
  report: Report,
): Model | undefined {
  if (!isObject(raw)) {
    report(path, 'type', `expected a map, found ${shown(raw)}`);
    return undefined;
  }
  const { model: name } = raw;
  if (name === undefined) {
    report([...path, 'model'], 'missing', 'is missing');
    return undefined;
  }
  // One with errors, which are reported.
  if (labModels.has(String(name))) return undefined;
  const model = typeof name === 'string' ? modelNamed(name) : undefined;
  if (model === undefined) {
    const same = [...models.values()].find(({ elsewhere = [] }) =>
      elsewhere.includes(String(name)),
    );
    const known = [...labModels.keys(), ...models.keys()];
    const hint = same
      ? `; its name in skolo is "${same.name}"`
      : didYouMean(String(name), known, `known models: ${known.join(', ')}`);
    report([...path, 'model'], 'model', `unknown model ${shown(name)}${hint}`);
  }
  return model;
}

/** Omits unknown settings of the agent, which belong to another service. */
function lenient<T extends Expanded>(entry: T): T {
  return { ...entry, entryOf: (index: number) => withKnownSettings(entry.entryOf(index)) };
}

function withKnownSettings(raw: unknown): unknown {
  if (!isObject(raw) || raw.swarming === undefined) return raw;
  const { swarming, ...rest } = raw;
  const kept = withoutUnknown(machineSchema.shape.swarming, swarming);
  return kept === undefined ? rest : { ...rest, swarming: kept };
}
