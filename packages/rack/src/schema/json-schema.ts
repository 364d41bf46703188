/**
 * The JSON Schema of rack.yaml as typed, with ranges and without defaults, for editors. It checks less than `skolo check
 * rack`, and accepts every valid file with the current names of keys.
 */

import { type Model, models, spreading } from '@skolo/equipment/models';
import { z } from 'zod';
import { equipmentShape } from './equipment-schema.ts';
import { object } from './fields.ts';
import { bases, labModelSchema, namePattern } from './lab-model-schema.ts';
import { machineSchema } from './machine-schema.ts';
import { headSchema, identitySchema, loginSchema } from './rack-schema.ts';
import { settingsSchemas } from './settings/settings.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;
export type SubSchema = JsonSchema | boolean;

const rangePattern = '\\[\\d+(-\\d+)?(,\\d+(-\\d+)?)*\\]';

export function rackJsonSchema(): JsonSchema {
  const file = schemaOf(
    object({
      ...headSchema,
      identities: z
        .record(z.string(), identitySchema)
        .exactOptional()
        .describe('Accounts for which the metadata server may issue tokens, by name.'),
      logins: z
        .record(z.string(), loginSchema)
        .exactOptional()
        .describe('Credentials for equipment, by name.'),
      models: z
        .record(z.string(), z.unknown())
        .exactOptional()
        .describe(
          "The lab's own models: descriptions of equipment, by names such as `lab/epdu`. An entry of `equipment` with this `model` gets the keys of its description, and may add others.",
        ),
      equipment: z
        .record(z.string(), z.unknown())
        .exactOptional()
        .describe('Routers, switches and PDUs, by name. A name can contain ranges.'),
      machines: z
        .record(z.string(), machineSchema)
        .exactOptional()
        .describe('Test machines, by name. A name can contain ranges.'),
      services: object(settingsSchemas)
        .partial()
        .exactOptional()
        .describe('Settings for each service. All settings are optional.'),
    }),
  );
  const { models: own, equipment, machines, ...rest } = file.properties ?? {};
  return {
    ...file,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'rack.yaml',
    description: 'A skolo inventory: a rack of test machines.',
    properties: {
      ...rest,
      models: {
        ...(isSchema(own) && own),
        propertyNames: { pattern: namePattern.source },
        additionalProperties: labModelJson(),
      },
      equipment: {
        ...(isSchema(equipment) && equipment),
        additionalProperties: withRanges(equipmentJson()),
      },
      ...(isSchema(machines) && { machines: withRanges(machines) }),
    },
  };
}

/** A base, and conditional keys of each. */
function labModelJson(): JsonSchema {
  return {
    type: 'object',
    required: ['base'],
    properties: {
      base: {
        description: 'Model whose other keys the description has.',
        anyOf: bases.map(({ name, label }) => ({ const: name, description: label })),
      },
    },
    allOf: bases.map((base) => ({
      if: { properties: { base: { const: base.name } }, required: ['base'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: schemaOf(labModelSchema(base)),
    })),
  };
}

/** Common keys, and conditional keys of each model. */
function equipmentJson(): JsonSchema {
  const common = schemaOf(object(equipmentShape));
  const properties = common.properties ?? {};
  const known = [...models.values()];
  return {
    type: 'object',
    required: ['model'],
    properties: {
      ...properties,
      model: {
        ...(isSchema(properties.model) && { description: properties.model.description }),
        anyOf: [
          ...known.map(({ name, label }) => ({ const: name, description: label })),
          { pattern: namePattern.source, description: 'a description in `models`' },
        ],
      },
    },
    allOf: known.map((model) => ({
      if: { properties: { model: { const: model.name } }, required: ['model'] },
      // biome-ignore lint/suspicious/noThenProperty: as above.
      then: ownKeys(model, Object.keys(properties)),
    })),
  };
}

function ownKeys(model: Model, common: string[]): JsonSchema {
  const { properties = {}, required } = modelJson(model);
  return {
    properties: { transport: { enum: [...model.transports] }, ...properties },
    propertyNames: { enum: [...common, ...Object.keys(properties)] },
    ...(required && { required }),
  };
}

export function modelJson(model: Model): JsonSchema {
  return schemaOf(object(model.options));
}

function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...json }: JsonSchema = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // zod omits defaults of transformed values.
      if (zodSchema instanceof z.ZodDefault) jsonSchema.default = zodSchema.def.defaultValue;
      if (spreading.get(zodSchema)?.as !== 'each') return;
      const one = { ...jsonSchema };
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      jsonSchema.anyOf = [one, { type: 'array', items: one }];
    },
  });
  return json;
}

/** Accepts a range for any text. */
function withRanges(schema: JsonSchema): JsonSchema {
  const loose = mapSchemas(schema, withRanges);
  if (loose.pattern === undefined) return loose;
  const { pattern, ...rest } = loose;
  return { ...rest, anyOf: [{ pattern }, { pattern: rangePattern }] };
}

function mapSchemas(schema: JsonSchema, change: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const one = <S extends SubSchema>(inner: S) => (isSchema(inner) ? change(inner) : inner);
  const { properties, items, anyOf, oneOf, allOf, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, one(value)]),
      ),
    }),
    ...(isSchema(items) && { items: one(items) }),
    ...(anyOf && { anyOf: anyOf.map(change) }),
    ...(oneOf && { oneOf: oneOf.map(change) }),
    ...(allOf && { allOf: allOf.map(change) }),
    // biome-ignore lint/suspicious/noThenProperty: as above.
    ...(schema.then && { then: one(schema.then) }),
    ...(additionalProperties && { additionalProperties: one(additionalProperties) }),
  };
}

/** Excludes `true` and `false`, which are also schemas. */
export function isSchema(schema: SubSchema | SubSchema[] | undefined): schema is JsonSchema {
  return typeof schema === 'object' && !Array.isArray(schema);
}
