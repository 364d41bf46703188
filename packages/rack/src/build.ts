/**
 * Plain data to a rack: each section is checked by its schema, entries of many names are expanded, defaults are filled
 * in. An entry with a mistake is left out but stays known by name, so that all mistakes are found in one go.
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type Checked, check } from './describe.ts';
import { type Draft, type Report, reportTo, type Section } from './draft.ts';
import { readIdentity, readInfrastructure, readLogin, readMachine } from './entries.ts';
import { expandEntry } from './expand.ts';
import { hostName, object } from './fields.ts';
import { type Path, type Problem, shown } from './issues.ts';
import { withoutRefused } from './lenient.ts';
import { models } from './models/index.ts';
import type { Model } from './models/model.ts';
import { maxNames } from './ranges.ts';
import {
  headSchema,
  identitySchema,
  infrastructureShape,
  loginSchema,
  machineSchema,
} from './schema.ts';
import {
  defaultSettings,
  type ServiceName,
  type ServicesSettings,
  serviceNames,
  settingsSchemas,
} from './settings.ts';
import { spreadOf } from './spreading.ts';
import { didYouMean } from './suggest.ts';

export interface BuildOptions {
  file: string;
  strictFor?: ServiceName;
}

type Raw = Readonly<Record<string, unknown>>;

const topKeys = [
  ...Object.keys(headSchema),
  'identities',
  'logins',
  'infrastructure',
  'machines',
  'services',
];

export function build(
  value: unknown,
  { file, strictFor }: BuildOptions,
): { draft: Draft; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = reportTo(problems);
  const take = <T>(result: Checked<T>): T | undefined => {
    problems.push(...(result.problems ?? []));
    return result.value;
  };
  const top = isMap(value) ? value : {};
  if (!isMap(value)) {
    report(
      [],
      'type',
      value === null || value === undefined
        ? 'is empty; a rack.yaml begins with `rack: NAME`'
        : `expected a map, found ${shown(value)}`,
    );
    return { draft: emptyDraft(file), problems };
  }
  for (const key of Object.keys(top).filter((key) => !topKeys.includes(key))) {
    report([key], 'unknown key', `unknown key "${key}"${didYouMean(key, topKeys)}`, 'key');
  }
  const draft = emptyDraft(file);
  const { rack } = draft;
  rack.name = take(check(headSchema.rack, top.rack, ['rack'])) ?? rack.name;
  rack.timezone = take(check(headSchema.timezone, top.timezone, ['timezone'])) ?? rack.timezone;
  rack.network = take(check(headSchema.network, top.network, ['network'])) ?? rack.network;
  rack.access = take(check(headSchema.access, top.access, ['access'])) ?? rack.access;
  const jumphost = take(check(headSchema.jumphost, top.jumphost, ['jumphost']));
  if (jumphost !== undefined) {
    const { power = [], ...rest } = jumphost;
    rack.jumphost = { ...rest, power };
    draft.where.set(rack.jumphost, ['jumphost']);
    draft.named.push({ name: jumphost.name, what: 'the jumphost', path: ['jumphost', 'name'] });
    jumphost.aliases.forEach((name, i) => {
      draft.named.push({
        name,
        what: 'an alias of the jumphost',
        path: ['jumphost', 'aliases', i],
      });
    });
  }
  if (top.defaultIdentity !== undefined) {
    rack.defaultIdentity = take(check(z.string(), top.defaultIdentity, ['defaultIdentity'])) ?? '';
  }

  for (const { name, raw, path } of entries('identities', 'an identity', top, draft, report)) {
    const written = take(check(identitySchema, raw, path));
    const identity = written && readIdentity(name, written, path, report);
    if (identity) keep(draft, rack.identities, identity, path);
  }
  for (const { name, raw, path } of entries('logins', 'a login', top, draft, report)) {
    const written = take(check(loginSchema, raw, path));
    if (written) keep(draft, rack.logins, readLogin(name, written, path, report), path);
  }
  for (const { name, raw, path } of many('infrastructure', top, draft, problems)) {
    const model = modelOf(raw, path, report);
    const written = model && take(check(infrastructureEntry(model), raw, path));
    if (written)
      keep(
        draft,
        rack.infrastructure,
        readInfrastructure(name, written, model, path, report),
        path,
      );
  }
  const lenient = strictFor !== undefined && strictFor !== 'swarming-client';
  for (const { name, raw, path } of many('machines', top, draft, problems)) {
    const written = take(check(machineSchema, lenient ? lenientMachine(raw) : raw, path));
    if (written) keep(draft, rack.machines, readMachine(name, written, path, draft, report), path);
  }
  rack.services = readServices(top.services, strictFor, problems);
  return { draft, problems };
}

function emptyDraft(file: string): Draft {
  return {
    rack: {
      name: '',
      timezone: 'UTC',
      network: { domain: 'lan' },
      identities: new Map(),
      access: { anonymousRead: [] },
      logins: new Map(),
      infrastructure: new Map(),
      machines: new Map(),
      services: defaultSettings(),
      dir: dirname(resolve(file)),
    },
    declared: {
      identities: new Set(),
      logins: new Set(),
      infrastructure: new Set(),
      machines: new Set(),
    },
    named: [],
    where: new Map(),
  };
}

function keep<T extends { name: string }>(
  draft: Draft,
  map: Map<string, T>,
  entry: T,
  path: Path,
): void {
  draft.where.set(entry, path);
  if (!map.has(entry.name)) map.set(entry.name, entry);
}

function isMap(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Entry {
  name: string;
  raw: unknown;
  path: Path;
}

function mapOf(section: string, top: Raw, report: Report): [string, unknown][] {
  const value = top[section];
  if (value === undefined) return [];
  if (isMap(value)) return Object.entries(value);
  report(
    [section],
    'type',
    value === null ? 'is empty; remove the key' : `expected a map, found ${shown(value)}`,
  );
  return [];
}

/** Entries of one name each: identities, logins. */
function entries(section: Section, what: string, top: Raw, draft: Draft, report: Report): Entry[] {
  return mapOf(section, top, report).map(([name, raw]) => {
    const path = [section, name];
    draft.declared[section].add(name);
    if (!/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) {
      report(path, 'name', `"${name}" is not a name for ${what} (letters, digits, . _ -)`, 'key');
    } else if (section === 'identities' && name === 'none') {
      report(path, 'name', '"none" is reserved: it means no identity at all', 'key');
    }
    return { name, raw, path };
  });
}

/** Entries of many names each: infrastructure, machines. */
function many(
  section: 'infrastructure' | 'machines',
  top: Raw,
  draft: Draft,
  problems: Problem[],
): Entry[] {
  const report = reportTo(problems);
  const what = section === 'machines' ? 'a machine' : 'infrastructure';
  const found: Entry[] = [];
  for (const [key, value] of mapOf(section, top, report)) {
    const path = [section, key];
    const expanded = expandEntry(path, key, value, spreadFor(section, value));
    if ('problems' in expanded) {
      problems.push(...expanded.problems);
      for (const name of expanded.names) draft.declared[section].add(name);
      continue;
    }
    if (found.length + expanded.names.length > maxNames) {
      report(path, 'too many', `more than ${maxNames} entries`, 'key');
      return found;
    }
    for (const [i, name] of expanded.names.entries()) {
      const named = check(hostName, name, path);
      for (const { message } of named.problems ?? []) report(path, 'name', message, 'key');
      draft.declared[section].add(name);
      draft.named.push({ name, what, path, at: 'key' });
      found.push({ name, raw: expanded.at(i), path });
    }
  }
  return found;
}

const machineSpread = spreadOf(machineSchema);

function spreadFor(section: 'infrastructure' | 'machines', value: unknown) {
  if (section === 'machines') return machineSpread;
  const model = isMap(value) ? models.get(String(value.model)) : undefined;
  return spreadOf(model ? infrastructureEntry(model) : object(infrastructureShape));
}

const infrastructureEntries = new Map<Model, ReturnType<typeof infrastructureOf>>();

function infrastructureOf(model: Model) {
  return object({ ...model.options, ...infrastructureShape });
}

/** The schema of an entry of this model. */
export function infrastructureEntry(model: Model) {
  const known = infrastructureEntries.get(model) ?? infrastructureOf(model);
  infrastructureEntries.set(model, known);
  return known;
}

function modelOf(raw: unknown, path: Path, report: Report): Model | undefined {
  if (!isMap(raw)) {
    report(path, 'type', `expected a map, found ${shown(raw)}`);
    return undefined;
  }
  const name = raw.model;
  if (name === undefined) {
    report([...path, 'model'], 'missing', 'is missing');
    return undefined;
  }
  const model = typeof name === 'string' ? models.get(name) : undefined;
  if (model === undefined) {
    const guess = typeof name === 'string' ? didYouMean(name, models.keys()) : '';
    report(
      [...path, 'model'],
      'model',
      `unknown model ${shown(name)}${guess || `; known are ${[...models.keys()].join(', ')}`}`,
    );
  }
  return model;
}

function lenientMachine(raw: unknown): unknown {
  if (!isMap(raw) || raw.swarming === undefined) return raw;
  const { swarming, ...rest } = raw;
  const kept = withoutRefused(machineSchema.shape.swarming, swarming);
  return kept === undefined ? rest : { ...rest, swarming: kept };
}

function readServices(
  value: unknown,
  strictFor: ServiceName | undefined,
  problems: Problem[],
): ServicesSettings {
  const report = reportTo(problems);
  const settings = defaultSettings();
  if (value === undefined) return settings;
  if (!isMap(value)) {
    report(
      ['services'],
      'type',
      value === null ? 'is empty; remove the key' : `expected a map, found ${shown(value)}`,
    );
    return settings;
  }
  const read = <S extends z.ZodType>(name: ServiceName, schema: S): z.output<S> | undefined => {
    const strict = strictFor === undefined || strictFor === name;
    const raw = strict ? value[name] : withoutRefused(schema, value[name]);
    const result = check(schema, raw, ['services', name]);
    problems.push(...(result.problems ?? []));
    return result.value;
  };
  if (strictFor === undefined) {
    for (const name of Object.keys(value).filter(
      (name) => !serviceNames.some((known) => known === name),
    )) {
      report(
        ['services', name],
        'unknown key',
        `unknown service "${name}"${didYouMean(name, serviceNames) || `; known are ${serviceNames.join(', ')}`}`,
        'key',
      );
    }
  }
  const schemas = settingsSchemas;
  return {
    'metadata-server':
      read('metadata-server', schemas['metadata-server']) ?? settings['metadata-server'],
    'router-backup': read('router-backup', schemas['router-backup']) ?? settings['router-backup'],
    'power-cycle-daemon':
      read('power-cycle-daemon', schemas['power-cycle-daemon']) ?? settings['power-cycle-daemon'],
    'alert-to-pubsub':
      read('alert-to-pubsub', schemas['alert-to-pubsub']) ?? settings['alert-to-pubsub'],
    'swarming-client':
      read('swarming-client', schemas['swarming-client']) ?? settings['swarming-client'],
  };
}
