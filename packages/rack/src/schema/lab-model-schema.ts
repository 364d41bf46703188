/** The schema of `models` in rack.yaml: descriptions of equipment, each with the keys of a base model. */
import { type Model, models } from '@skolo/equipment/models';
import { z } from 'zod';
import { object, unwrapped, word } from './fields.ts';

export const namePattern = /^lab\/[a-z0-9][a-z0-9-]{0,60}$/;

/** Models without commands of their own, which are described. */
export const bases: readonly Model[] = [...models.values()].filter(
  ({ name, base, power }) =>
    base === undefined && (power?.description !== undefined || name === 'generic'),
);

/** The keys of a description: those of its base, of which an entry may add some. */
export function labModelSchema({ name, options }: Model) {
  const keys = Object.entries(options).map(([key, schema]) => {
    const { description = '' } = z.globalRegistry.get(schema) ?? {};
    return [key, unwrapped(schema).exactOptional().describe(description)] as const;
  });
  return object({
    base: z.literal(name).describe('The model whose keys describe the equipment.'),
    label: word.exactOptional().describe('Name for people.'),
    ...Object.fromEntries(keys),
  });
}
