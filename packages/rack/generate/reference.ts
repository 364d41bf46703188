/** docs/reference/rack-yaml.md: every key of rack.yaml, from the schema. */

import { evidenceOf, levelText, type Model, models } from '@skolo/equipment/models';
import {
  isSchema,
  type JsonSchema,
  modelJson,
  rackJsonSchema,
  type SubSchema,
} from '../src/schema/json-schema.ts';
import { settingsSchemas } from '../src/schema/settings/settings.ts';
import { referenceIntro } from './reference-intro.ts';

/** The reference, as Markdown. */
export function rackReference(): string {
  const { properties = {}, required } = rackJsonSchema();
  const top = Object.keys(properties);
  const sections = top.filter(
    (key) => keysOf(properties[key]).length > 0 || entryOf(properties[key]),
  );
  const parts = [
    referenceIntro,
    '## Top level',
    table(rows('', { properties, required: required ?? [] }, false)),
    ...sections.filter((key) => key !== 'services').map((key) => sectionOf(key, properties[key])),
    '## Models',
    'This table lists the values of `model:`, with the ports that `uplink` accepts and the outlets that `power` accepts. The “off” column shows how long a power cycle leaves an outlet off by default. “Autonomous” equipment turns an outlet off and on again itself, so the outlet does not stay off if the power-cycle daemon stops in between. The “`read` login” column lists the data readable with [a read-only login](../adopt/prove.md#a-read-only-login). The last column shows [how thoroughly each model was verified on real hardware](../proofs/README.md).',
    modelTable(),
    'A configuration of which the equipment shows the login only a part [is not stored](../operate/backups.md#a-part-of-a-configuration), if that can be detected. Nothing detects it for a model whose last column is empty. Make sure that its login has what the second column says, and compare the first version with the equipment.',
    extentTable(),
    'Some models have additional keys:',
    modelKeys(),
    ...servicesOf(properties.services),
    '## Forms',
    'The following types have a specific format:',
    formTable(formsIn({ properties })),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionOf(key: string, schema: SubSchema | undefined): string {
  const entry = entryOf(schema);
  const name = entry ? `${key}.NAME` : key;
  const described = isSchema(schema) ? (schema.description ?? '') : '';
  return [`## ${name}`, described, table(rows('', entry ?? schema))].filter(Boolean).join('\n\n');
}

function servicesOf(schema: SubSchema | undefined): string[] {
  return Object.keys(settingsSchemas).flatMap((name) => {
    const settings = isSchema(schema) ? schema.properties?.[name] : undefined;
    return [`## services.${name}`, table(rows('', settings))];
  });
}

function modelTable(): string {
  const lines = [...models.values()].map((model) => {
    const { name, label, transports, power, network, backup, readOnly } = model;
    const defaults = defaultsOf(model);
    const cells = [
      `\`${name}\``,
      label,
      transports.join(', '),
      network?.range(defaults) ?? '–',
      power?.outlets.range(defaults) ?? '–',
      power ? `${power.offSeconds} s${power.nativeCycle ? ', autonomous' : ''}` : '–',
      'no' in backup ? `no: ${backup.no}` : 'yes',
      readOnly?.join(', ') ?? '–',
      levelText(evidenceOf(name)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| model | equipment | transports | ports | outlets | off | backed up | `read` login | real hardware |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** What a login needs, and whether anybody can know that it has it. */
function extentTable(): string {
  const lines = [...models.values()].flatMap(({ name, backup }) =>
    'no' in backup ? [] : [`| \`${name}\` | ${backup.needs} | ${backup.seenBy ?? ''} |`],
  );
  return [
    '| model | a complete backup requires | detected by |',
    '| --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function defaultsOf(model: Model): Record<string, unknown> {
  const { properties = {} } = modelJson(model);
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      isSchema(value) ? value.default : undefined,
    ]),
  );
}

function modelKeys(): string {
  const lines = [...models.values()].flatMap((model) =>
    rows('', modelJson(model)).map((row) => `| \`${model.name}\` ${line(row)}`),
  );
  return [
    '| model | key | type | default | description |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function formTable(forms: ReadonlyMap<string, string>): string {
  const lines = [...forms].sort(([a], [b]) => a.localeCompare(b, 'en'));
  return [
    '| type | example |',
    '| --- | --- |',
    ...lines.map(([title, example]) => `| ${title} | \`${example}\` |`),
  ].join('\n');
}

interface Row {
  key: string;
  type: string;
  value: string;
  text: string;
}

function table(found: Row[]): string {
  return [
    '| key | type | default | description |',
    '| --- | --- | --- | --- |',
    ...found.map(line),
  ].join('\n');
}

function line({ key, type, value, text }: Row): string {
  const cells = [`\`${key}\``, type, value, text];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** A row for each key, followed by its sub-keys. */
function rows(prefix: string, schema: SubSchema | undefined, deep = true): Row[] {
  if (!isSchema(schema)) return [];
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    if (!isSchema(value)) return [];
    const key = `${prefix}${name}`;
    const row = {
      key,
      type: typeOf(value),
      value: required.includes(name) ? 'required' : defaultOf(value),
      text: value.description ?? '',
    };
    return [row, ...(deep ? within(key, value) : [])];
  });
}

function within(key: string, schema: JsonSchema): Row[] {
  // The same keys as services.swarming-client.
  if (key === 'swarming') return [];
  const entry = entryOf(schema);
  if (entry) return rows(`${key}.NAME.`, entry);
  if (schema.properties) return rows(`${key}.`, schema);
  const { items } = schema;
  if (isSchema(items)) {
    const shapes = items.oneOf ?? items.anyOf ?? [items];
    return shapes.flatMap((shape) => rows(`${key}[].`, shape));
  }
  return [];
}

/** Schema of the values of a map by name. */
function entryOf(schema: SubSchema | undefined): JsonSchema | undefined {
  const entry = isSchema(schema) ? schema.additionalProperties : undefined;
  return isSchema(entry) && keysOf(entry).length > 0 ? entry : undefined;
}

function keysOf(schema: SubSchema | undefined): string[] {
  return isSchema(schema) ? Object.keys(schema.properties ?? {}) : [];
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined || JSON.stringify(value) === '{}') return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (schema.title !== undefined) return schema.title;
  if (choices?.every(({ description }) => description !== undefined)) {
    return 'a model (see Models)';
  }
  const [one, list] = choices ?? [];
  if (one && isSchema(list?.items) && typeOf(one) === typeOf(list.items))
    return `${typeOf(one)}, or a list`;
  if (choices && !choices.every((choice) => choice.pattern)) {
    return [...new Set(choices.map(typeOf))].join(' or ');
  }
  switch (schema.type) {
    case 'array':
      return isSchema(schema.items) ? `list: ${typeOf(schema.items)}` : 'list';
    case 'object':
      return schema.properties ? 'map' : 'map by name';
    case 'integer':
    case 'number':
      return `${schema.type === 'integer' ? 'whole number' : 'number'}${bounds(schema)}`;
    case 'boolean':
      return '`true`, `false`';
    default:
      return 'text';
  }
}

/** Formats of text with an example, from the whole schema. */
function formsIn(schema: JsonSchema, forms = new Map<string, string>()): Map<string, string> {
  const example = schema.examples?.[0];
  if (schema.title !== undefined && typeof example === 'string') forms.set(schema.title, example);
  const {
    properties = {},
    items,
    anyOf = [],
    oneOf = [],
    allOf = [],
    additionalProperties,
  } = schema;
  const inner = [...Object.values(properties), items, ...anyOf, ...oneOf, ...allOf, schema.then];
  for (const one of [...inner, additionalProperties, schema.propertyNames]) {
    if (isSchema(one)) formsIn(one, forms);
  }
  return forms;
}

function bounds({ minimum, maximum }: JsonSchema): string {
  if (minimum === undefined || maximum === undefined || maximum > 2 ** 40) return '';
  return `, ${minimum} to ${maximum}`;
}
