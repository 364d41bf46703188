/** What is generated from the files in docs/proofs: a page, a JSON Schema, and the data of the command. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { models } from '../src/index.ts';
import { evidenceOf, evidenceText } from '../src/proofs/levels.ts';
import { Proof } from '../src/proofs/proof.ts';
import { type Contribution, sightingOf } from './check.ts';

const folder = join(import.meta.dirname, '../../../docs/proofs');
export const pageFile = join(folder, 'README.md');
export const schemaFile = join(folder, 'proof.schema.json');
export const sightingsFile = join(import.meta.dirname, '../src/proofs/sightings.ts');

/** The texts of all other files in docs/proofs, by path. */
export function contributedFiles(): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => file !== pageFile && file !== schemaFile)
      .map((file) => [relative(folder, file), readFileSync(file, 'utf8')]),
  );
}

export function proofSchema(): z.core.JSONSchema.BaseSchema {
  const description =
    'Evidence that skolo read or switched a model of equipment: proof-MODEL-FIRMWARE.json. It contains nothing that identifies a rack.';
  return {
    ...z.toJSONSchema(Proof, { target: 'draft-7' }),
    title: 'skolo evidence file',
    description,
  };
}

/** docs/proofs/README.md with tables of these files. */
export function proofsPage(page: string, contributions: readonly Contribution[]): string {
  const content = contributions.length === 0 ? nothing : tables(contributions);
  const generated = `<!-- generated: files -->\n\n${content}\n\n<!-- /generated -->`;
  return page.replace(/<!-- generated: files -->.*?<!-- \/generated -->/s, () => generated);
}

const nothing = `There are no evidence files yet, so all ${models.size} models are \`never seen\`.`;

function tables(contributions: readonly Contribution[]): string {
  const sightings = contributions.map(sightingOf);
  const seen = [...models.values()].flatMap(({ name, label }) => {
    const evidence = evidenceOf(name, sightings);
    return evidence.racks === 0 ? [] : [`| \`${name}\` | ${label} | ${evidenceText(evidence)} |`];
  });
  const files = contributions.map(({ path, model, firmware, day, devices }) => {
    const hardware = [...new Set(devices.map((device) => device.hardware ?? '–'))].join(', ');
    const problems = devices.reduce((sum, device) => sum + device.problems.length, 0);
    const cells = [path.slice(0, path.lastIndexOf('/')), `[\`${model}\`](${path})`, firmware];
    return `| ${[...cells, hardware, devices.length, problems, day].join(' | ')} |`;
  });
  return [
    '| model | device | level |',
    '| --- | --- | --- |',
    ...seen,
    '',
    `The other models (${models.size - seen.length} of ${models.size}) are \`never seen\`.`,
    '',
    '| owner and rack | model | firmware | hardware | devices | problems | day |',
    '| --- | --- | --- | --- | --: | --: | --- |',
    ...files,
  ].join('\n');
}

/** src/proofs/sightings.ts, before it is formatted. */
export function sightingsSource(contributions: readonly Contribution[]): string {
  const data = JSON.stringify(contributions.map(sightingOf), null, 2);
  const current = readFileSync(sightingsFile, 'utf8');
  return `${current.slice(0, current.indexOf('[] = ') + 5)}${data};\n`;
}
