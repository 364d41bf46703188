/** For tests of journals: any record of a table is the same when it is read from the disk. */

import { Table, type TablesDeps } from '@skolo/base/durable';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';

type Json = z.core.JSONSchema._JSONSchema;

/** @param open gives an object with tables as properties */
export function itReadsBack(open: (deps: TablesDeps) => object): void {
  const nothing = () => undefined;
  const owner = open({ journal: nothing, onTrouble: nothing, onWell: nothing });
  const tables = Object.entries(owner).filter(([, each]) => each instanceof Table);
  it.each(tables)('%s: any record is the same after a restart', (_, table: Table<unknown>) => {
    const { schema } = table;
    if (!(schema instanceof z.ZodType)) throw new TypeError('not a schema of zod');
    fc.assert(
      fc.property(valuesOf(schema), (record) => {
        const { value, key } = table.put(record);
        const read: unknown = schema.parse(JSON.parse(JSON.stringify(value)));
        expect(read).toEqual(record);
        expect(table.put(read).key).toBe(key);
      }),
      runs(50),
    );
  });
}

/** As parsed: texts are trimmed, defaults filled in. */
function valuesOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  const json = z.toJSONSchema(schema);
  return arbitrary(json, json.$defs)
    .map((value) => schema.safeParse(value).data)
    .filter((record) => record !== undefined);
}

function arbitrary(json: Json = true, defs: Record<string, Json> = {}): fc.Arbitrary<unknown> {
  if (typeof json === 'boolean') return fc.string();
  const of = (each: Json) => arbitrary(each, defs);
  const { $ref = '', const: only, enum: some, anyOf, oneOf = anyOf, type } = json;
  const { required = [], properties = {}, items, additionalProperties, pattern } = json;
  if ($ref !== '') return of(defs[$ref.replace('#/$defs/', '')] ?? true);
  if (only !== undefined) return fc.constant(only);
  if (some !== undefined) return fc.constantFrom(...some);
  if (oneOf !== undefined) return fc.oneof(...oneOf.map(of));
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') return fc.maxSafeNat();
  if (type === 'number') return fc.integer().map((n) => n / 4);
  if (type === 'array') return fc.array(fc.oneof(...[items ?? true].flat().map(of)));
  if (json.format === 'date-time') return times;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  if (type !== 'object') return texts;
  if (additionalProperties) return fc.dictionary(names, of(additionalProperties));
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [key, each] of Object.entries(properties)) fields[key] = of(each);
  return fc.record(fields, { requiredKeys: required });
}

const names = fc.stringMatching(/^[a-z]+$/);
const texts = fc.string({ unit: anyCharacter });
const times = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
  .map((date) => date.toISOString());
