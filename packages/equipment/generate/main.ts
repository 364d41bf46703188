/** Checks docs/proofs, and writes what is derived from its files. Writes nothing if one of them has an error. */
import { readFile, writeFile } from 'node:fs/promises';
import { checkProofs } from './check.ts';
import {
  contributedFiles,
  pageFile,
  proofSchema,
  proofsPage,
  schemaFile,
  sightingsFile,
  sightingsSource,
  supportFile,
  supportPage,
} from './page.ts';

const today = new Date().toISOString().slice(0, 10);
const { errors, ...files } = checkProofs(contributedFiles(), today);
for (const error of errors) console.error(`docs/proofs/${error}`);
if (errors.length > 0) {
  process.exitCode = 1;
} else {
  await writeFile(schemaFile, `${JSON.stringify(proofSchema(), null, 2)}\n`);
  await writeFile(pageFile, proofsPage(await readFile(pageFile, 'utf8'), files));
  await writeFile(supportFile, supportPage(await readFile(supportFile, 'utf8'), files));
  await writeFile(sightingsFile, sightingsSource(files));
}
