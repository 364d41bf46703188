/** A model that is a table: the keys of a base model, filled in for one kind of equipment. The YAML files of this folder have this form. */
import { z } from 'zod';

export const Table = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]+$/),
  /** Previous names: none that was released is ever taken away. */
  was: z.array(z.string()).exactOptional(),
  label: z.string().min(1),
  /** Names in Oxidized, RANCID and netmiko, if different. */
  elsewhere: z.array(z.string()).exactOptional(),
  base: z.enum(['generic', 'http-switch', 'snmp-switch']),
  /** Keys that an entry in rack.yaml still has, with their defaults. */
  asks: z.record(z.string(), z.union([z.number(), z.boolean()])).default({}),
  /** The other keys of the base model. */
  values: z.record(z.string(), z.unknown()),
});
export type Table = z.output<typeof Table>;
