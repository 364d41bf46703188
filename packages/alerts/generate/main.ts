/** Writes messages.schema.json, for subscribers. */
import { writeFile } from 'node:fs/promises';
import { messageJsonSchema } from './json-schema.ts';

const file = new URL('../messages.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(messageJsonSchema(), null, 2)}\n`);
