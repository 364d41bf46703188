/** Writes clusters.schema.json from the schema. */
import { writeFile } from 'node:fs/promises';
import { clustersJsonSchema } from '../src/racks/clusters-schema.ts';

const file = new URL('../clusters.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(clustersJsonSchema(), null, 2)}\n`);
