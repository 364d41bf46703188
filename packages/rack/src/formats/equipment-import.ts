/**
 * Imports inventories of programs that skolo replaces (Oxidized, RANCID, pdudaemon): devices with their models, addresses and logins.
 *
 * Sources: Oxidized, docs/Sources.md (CSV), docs/Configuration.md and lib/oxidized/source/csv.rb; RANCID 3.13, router.db(5), and
 * `:` between the fields before 3.0; pdudaemon, share/pdudaemon.conf and pdudaemon/drivers.
 */
import { isIP } from 'node:net';
import { isExpression, modelSetting, models } from '@skolo/equipment/models';
import { z } from 'zod';
import { asHostName, hostNameProblem } from '../schema/network-fields.ts';
import { ForeignInventoryError, parseForeign } from './foreign-file.ts';
import { backedUpModels, controlPoints, pdudaemonDrivers } from './foreign-models.ts';

/** As a login in rack.yaml, with the values of its secrets, or empty ones. */
export interface ForeignLogin {
  username?: string;
  password?: string;
  enablePassword?: string;
  legacySsh?: true;
  snmp?: { version: 1; community: string };
}

export interface ForeignEquipment {
  /** Valid in rack.yaml. */
  name: string;
  /** As in the file. */
  writtenName: string;
  /** Its row: `router.db:3`. */
  where: string;
  /** An address, or a name that resolves to one. */
  host: string;
  /** Keys in rack.yaml, except for the address and login. */
  entry: { model: string; port?: number; ports?: { ssh: number }; outlets?: number };
  login?: ForeignLogin;
}

export interface ForeignInventory {
  equipment: ForeignEquipment[];
  /** What is not imported on purpose, and why. */
  left: string[];
  /** Rows with an error: where, what, and how to fix it. They contain no values: in other columns than expected, any may be a password. */
  bad: string[];
  /** Other names of outlets. */
  aliases: OutletAlias[];
}

export interface OutletAlias {
  alias: string;
  /** Its entry: `pdudaemon.conf: aliases.board`. */
  where: string;
  /** A device's `writtenName`. */
  equipment: string;
  outlet: string;
}

type Found = Omit<ForeignEquipment, 'name'> | { left: string } | { bad: string };

const textOrNumber = z.union([z.string(), z.number()]).transform(String);
/** In Ruby, `false` is nothing. */
const Variable = z
  .union([z.string(), z.number(), z.literal(true)])
  .transform(String)
  .nullable()
  .catch(null);
/** Of all devices, a group, a model, or a model in a group. */
const Defaults = z.object({
  username: z.string().nullish(),
  vars: z.record(z.string(), Variable).nullish(),
});
type Defaults = z.output<typeof Defaults>;
const ofModels = z.record(z.string(), Defaults).nullish();
/** Text, or a regular expression between slashes. */
const Separator = z
  .string()
  .default(':')
  .transform((text) => /^\/(.*)\/$/.exec(text)?.[1] ?? text.replace(/[^\w\s]/g, '\\$&'))
  .refine(isExpression, { error: 'is not a valid regular expression' })
  .transform((pattern) => new RegExp(pattern));
const OxidizedConfig = Defaults.extend({
  model: z.string().optional(),
  model_map: z.record(z.string(), z.string()).nullish(),
  groups: z.record(z.string(), Defaults.extend({ models: ofModels })).nullish(),
  models: ofModels,
  source: z.object({
    csv: z.object({
      delimiter: Separator,
      map: z.record(z.string(), z.number()),
      vars_map: z.record(z.string(), z.number()).nullish(),
    }),
  }),
});
type OxidizedConfig = z.output<typeof OxidizedConfig>;

const usualConfig: OxidizedConfig = {
  source: { csv: { delimiter: /:/, map: { name: 0, ip: 1, model: 2, username: 3, password: 4 } } },
};

/** @param config Oxidized's file `config`, which says what the columns are @throws ForeignInventoryError */
export function readOxidized(
  text: string,
  file: string,
  config?: { text: string; file: string },
): ForeignInventory {
  const settings = config
    ? checked(OxidizedConfig, parseForeign(config.text, config.file), config.file)
    : usualConfig;
  const { delimiter, map, vars_map } = settings.source.csv;
  const found = linesOf(text).map(({ line, number }): Found => {
    const fields = line.split(delimiter);
    const at = (columns: Record<string, number> | null | undefined, key: string) => {
      const value = fields[columns?.[key] ?? -1]?.trim();
      return value === 'nil' || value === 'false' || value === '' ? undefined : value;
    };
    const written = at(map, 'model') ?? settings.model;
    const writtenName = at(map, 'name') ?? at(map, 'ip');
    const where = `${file}:${number}`;
    const hint = 'check the row, and the columns in the --oxidized-config file';
    if (writtenName === undefined) return { bad: `${where}: the name is missing; ${hint}` };
    if (written === undefined) return { bad: `${where}: the model is missing; ${hint}` };
    const foreign = settings.model_map?.[written] ?? written;
    const model = backedUpModels.get(foreign.toLowerCase());
    if (model === undefined)
      return { left: notSupported(where, `the model in column ${(map.model ?? 0) + 1}`) };
    const levels = levelsOf(settings, at(map, 'group'), foreign);
    const username = at(map, 'username') ?? first(levels, (each) => each.username);
    const varOf = (name: string) => at(vars_map, name) ?? first(levels, ({ vars }) => vars?.[name]);
    const odd = notUnderstood([writtenName, at(map, 'ip'), username], varOf);
    if (odd !== undefined) return { bad: `${where}: ${odd}` };
    const enablePassword = varOf('enable');
    const port = Number(varOf('ssh_port') ?? 22);
    const login = username !== undefined && {
      username,
      password: at(map, 'password') ?? '',
      ...(enablePassword !== undefined && { enablePassword }),
    };
    const isSnmp = models.get(model)?.transports[0] === 'snmp';
    return {
      writtenName,
      where,
      host: at(map, 'ip') ?? writtenName,
      entry: {
        model,
        // Its outlets are switched over SNMP, and its configuration is read over SSH.
        ...(isSnmp ? { ports: { ssh: port } } : port !== 22 && { port }),
      },
      ...(login && {
        login: isSnmp ? { ...login, snmp: { version: 1 as const, community: '' } } : login,
      }),
    };
  });
  return named(found);
}

/** The strongest first. */
function levelsOf(settings: OxidizedConfig, group: string | undefined, model: string): Defaults[] {
  const ofGroup = settings.groups?.[group ?? ''];
  const levels = [ofGroup?.models?.[model], ofGroup, settings.models?.[model], settings];
  return levels.filter((each) => each !== undefined);
}

function first(
  levels: readonly Defaults[],
  value: (level: Defaults) => string | null | undefined,
): string | undefined {
  for (const level of levels) {
    const found = value(level);
    if (found !== null && found !== undefined) return found;
  }
  return undefined;
}

/** Variables that change how Oxidized connects, which rack.yaml would have to say. */
const otherWays = ['ssh_proxy', 'ssh_keys', 'telnet_port'];

/** Why a row would be imported wrongly. */
function notUnderstood(
  texts: readonly (string | undefined)[],
  varOf: (name: string) => string | undefined,
): string | undefined {
  if (texts.some((text) => text !== undefined && /["']/.test(text)))
    return 'Oxidized takes quotes as part of a value; remove them';
  // Only rows say `nil` for nothing: in the config it is a text, and Oxidized signs in with it.
  if (texts.includes('nil')) return 'the user in the config is the text "nil"; write its name';
  const other = otherWays.find((name) => varOf(name) !== undefined);
  if (other !== undefined)
    return `${other} is not imported; add this equipment with skolo inventory add`;
  if (varOf('enable') === 'true')
    return '`enable: true`, without a password, is not imported; add this equipment with skolo inventory add';
  const port = varOf('ssh_port') ?? '22';
  const isPort = /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536;
  return isPort ? undefined : 'ssh_port is not a number from 1 to 65535; fix it';
}

/** Only devices that are up. @param user signs in to all, because the file contains no logins */
export function readRancid(text: string, file: string, user?: string): ForeignInventory {
  const login = user === undefined ? {} : { login: { username: user, password: '' } };
  const found = linesOf(text.toLowerCase()).map(({ line, number }): Found => {
    const where = `${file}:${number}`;
    const fields = line.split(';').length < 3 ? line.split(':') : line.split(';');
    const [writtenName = '', type = '', state = ''] = fields.map((each) => each.trim());
    if (fields.length < 3 || isIP(type) !== 0) {
      return {
        bad: `${where}: expected NAME;TYPE;STATE, as in RANCID's router.db; fix the row, or use --oxidized if Oxidized uses this file`,
      };
    }
    if (state !== 'up') return { left: `${where}: not marked as up` };
    const model = backedUpModels.get(type);
    if (model === undefined) return { left: notSupported(where, 'the model in column 2') };
    return { writtenName, where, host: writtenName, entry: { model }, ...login };
  });
  return named(found);
}

const Pdu = z.object({
  driver: z.string(),
  ip: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  sshport: z.number().optional(),
  controlpoint: z.string().optional(),
  oid: z.string().optional(),
  port_count: z.number().optional(),
  community: z.string().optional(),
  /** Its port numbers count these names. */
  switch_ids: z.array(z.string()).optional(),
});
type Pdu = z.output<typeof Pdu>;
const PdudaemonConfig = z.object({
  pdus: z.record(z.string(), z.unknown()),
  aliases: z.record(z.string(), z.unknown()).default({}),
});
const Alias = z.object({ hostname: z.string(), port: textOrNumber });

/** @throws ForeignInventoryError */
export function readPdudaemon(text: string, file: string): ForeignInventory {
  const { pdus, aliases } = checked(PdudaemonConfig, parseForeign(text, file), file);
  const outlets = new Map<string, string[]>();
  const found = Object.entries(pdus).map(([writtenName, value]): Found => {
    const where = `${file}: pdus.${writtenName}`;
    const { data: pdu, error } = Pdu.safeParse(value);
    if (pdu === undefined) return { bad: `${where}: ${issueOf(error)}; fix it` };
    const equipment = pduOf(pdu);
    if (equipment === undefined) {
      return {
        left: notSupported(
          where,
          ['model', pdu.driver, pdu.controlpoint ?? pdu.oid].join(' ').trim(),
          toProgram,
        ),
      };
    }
    if (pdu.switch_ids) outlets.set(writtenName, pdu.switch_ids);
    return { writtenName, where, host: pdu.ip ?? writtenName, ...equipment };
  });
  const inventory = named(found);
  for (const [name, names] of outlets) {
    const uses = names.map((outlet, index) => `${outlet} instead of ${index + 1}`).join(', ');
    inventory.left.push(`${file}: pdus.${name}: its port numbers; in clients, use ${uses}`);
  }
  for (const [alias, value] of Object.entries(aliases)) {
    const where = `${file}: aliases.${alias}`;
    const { data, error } = Alias.safeParse(value);
    if (data === undefined) inventory.bad.push(`${where}: ${issueOf(error)}; fix it`);
    else
      inventory.aliases.push({
        alias: asHostName(alias),
        where,
        equipment: data.hostname,
        outlet: outlets.get(data.hostname)?.[Number(data.port) - 1] ?? data.port,
      });
  }
  return inventory;
}

function pduOf(pdu: Pdu): Pick<ForeignEquipment, 'entry' | 'login'> | undefined {
  const snmp = { version: 1 as const, community: pdu.community ?? '' };
  const object = pdu.controlpoint ?? pdu.oid?.replace(/^\./, '') ?? '';
  const written =
    pdu.driver === 'snmpv1'
      ? (controlPoints[object] ?? modelSetting(object.replace('*', '{outlet}')))
      : undefined;
  if (written !== undefined) return { entry: { model: written }, login: { snmp } };
  const known = pdudaemonDrivers[pdu.driver];
  if (known === undefined) return undefined;
  const { model, outlets = pdu.port_count, username } = known;
  const entry = {
    model,
    ...(pdu.sshport !== undefined && pdu.sshport !== 22 && { port: pdu.sshport }),
    ...(outlets !== undefined && { outlets }),
  };
  if (models.get(model)?.transports[0] === 'snmp') return { entry, login: { snmp } };
  const user = pdu.username ?? username;
  if (user === undefined) return { entry };
  const login = { username: user, password: pdu.password ?? '' };
  return { entry, login: model === 'mpower' ? { ...login, legacySsh: true } : login };
}

const toProgram =
  'to switch it with a program, use `model: command-switch` (docs/reference/rack-yaml.md)';
const toGeneric =
  'if it has a command line, describe it with `model: generic` (docs/reference/rack-yaml.md)';

function notSupported(where: string, model: string, hint = toGeneric): string {
  return `${where}: skolo does not support ${model}; ${hint}`;
}

/** A device's name in rack.yaml is its host name without the domain, or all of it where two would be equal. */
function named(found: readonly Found[]): ForeignInventory {
  const equipment = new Map<string, ForeignEquipment>();
  const inventory: ForeignInventory = { equipment: [], left: [], bad: [], aliases: [] };
  for (const each of found) {
    if ('left' in each) inventory.left.push(each.left);
    else if ('bad' in each) inventory.bad.push(each.bad);
    else {
      const { writtenName, where } = each;
      const [label = ''] = writtenName.split('.');
      const full = asHostName(writtenName);
      const wanted = isIP(writtenName) === 0 ? [asHostName(label), full] : [`device-${full}`];
      const name = wanted.find((name) => !hostNameProblem(name) && !equipment.has(name));
      if (name !== undefined) equipment.set(name, { ...each, name });
      else {
        inventory.bad.push(
          `${where}: the name is used twice, or is neither a host name nor only an address; change it`,
        );
      }
    }
  }
  return { ...inventory, equipment: [...equipment.values()] };
}

/** Without comments and empty lines. */
function linesOf(text: string): { line: string; number: number }[] {
  return text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
}

function checked<T extends z.ZodType>(schema: T, value: unknown, file: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ForeignInventoryError(`${file}: ${issueOf(result.error)}`);
}

function issueOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return [...(issue?.path.length ? [issue.path.join('.')] : []), issue?.message].join(': ');
}
