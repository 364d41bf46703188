/** Models that are tables. Their code is that of their base models. */
import { isObject } from '@skolo/base';
import { z } from 'zod';
import type { Model, Numbering, Options } from '../contract/model.ts';
import { generic } from '../generic/facts.ts';
import { httpSwitch } from '../http-switch/facts.ts';
import { snmpSwitch } from '../snmp-switch/facts.ts';
import type { Table } from './table.ts';
import { tables } from './tables.ts';

const bases: Readonly<Record<Table['base'], Model>> = {
  generic,
  'http-switch': httpSwitch,
  'snmp-switch': snmpSwitch,
};

export const describedModels: readonly Model[] = tables.map((table) =>
  described(bases[table.base], table),
);

/** The model that is a table with this object to turn outlets on, in which `{outlet}` is the outlet. */
export function modelSetting(object: string): string | undefined {
  return tables.find(({ values: { on } }) => isObject(on) && on.object === object)?.name;
}

/**
 * The model that a table makes of a base model. An entry in rack.yaml has only the keys that the table asks for. Automatic repair never uses
 * it: nobody has seen the equipment that it describes.
 */
function described(base: Model, { name, was, label, elsewhere, asks, values }: Table): Model {
  const { power, backup, contradictions, options, ...facts } = base;
  const filled = (own: Options): Options => ({ ...values, ...own });
  const { description } = power ?? {};
  return {
    ...facts,
    name,
    ...(was && { was }),
    label,
    ...(elsewhere && { elsewhere }),
    base: base.name,
    ...(power && {
      power: {
        ...power,
        outlets: numbering(power.outlets, filled),
        ...(description && { description: (own: Options) => description(filled(own)) }),
        async load() {
          const { outlets } = await power.load();
          return {
            outlets: {
              model: name,
              automaticRepair: false,
              create: (device, deps, find) =>
                outlets.create(
                  { ...device, description: name, options: filled(device.options) },
                  deps,
                  find,
                ),
            },
          };
        },
      },
    }),
    backup: 'no' in backup ? backup : { ...backup, load: () => filledBackup(backup, filled) },
    options: Object.fromEntries(
      Object.entries(asks).map(([key, usual]) => [key, withDefault(options[key], usual)]),
    ),
  };
}

async function filledBackup(
  { load }: Exclude<Model['backup'], { no: string }>,
  filled: (own: Options) => Options,
) {
  const { backup } = await load();
  const create: typeof backup = (device) => backup({ ...device, options: filled(device.options) });
  return { backup: create };
}

function numbering(base: Numbering, filled: (own: Options) => Options): Numbering {
  const { all, only } = base;
  return {
    noun: base.noun,
    range: (own) => base.range(filled(own)),
    find: (outlet, own) => base.find(outlet, filled(own)),
    ...(all && { all: (own) => all(filled(own)) }),
    ...(only && { only: (own) => only(filled(own)) }),
  };
}

/** @throws RangeError The base model has no such key. */
function withDefault(schema: z.core.$ZodType | undefined, usual: number | boolean) {
  if (schema === undefined) throw new RangeError('a table asks for a key that its base lacks');
  const { description = '' } = z.globalRegistry.get(schema) ?? {};
  return z._default(schema, usual).describe(description);
}
