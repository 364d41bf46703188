/** Writes rack.schema.json and docs/reference/rack-yaml.md from the schema. */
import { writeFile } from 'node:fs/promises';
import { rackJsonSchema } from '../src/schema/json-schema.ts';
import { rackReference } from './reference.ts';

const schemaFile = new URL('../rack.schema.json', import.meta.url);
const referenceFile = new URL('../../../docs/reference/rack-yaml.md', import.meta.url);

await writeFile(schemaFile, `${JSON.stringify(rackJsonSchema(), null, 2)}\n`);
await writeFile(referenceFile, rackReference());
