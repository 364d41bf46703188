/** What is generated from the files in docs/proofs: a page, a JSON Schema, and the data of the command. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isObject } from '@skolo/base';
import { z } from 'zod';
import type { Model } from '../src/models/contract/model.ts';
import { models } from '../src/models/index.ts';
import { Proof } from '../src/models/proofs/evidence-file.ts';
import { evidenceOf, levelText } from '../src/models/proofs/levels.ts';
import type { ModelProof } from '../src/models/testing/proof.ts';
import { proofs } from '../src/models/testing/proofs.ts';
import { type Checked, sightingsOf } from './check.ts';
import { readTables } from './tables.ts';

const folder = join(import.meta.dirname, '../../../docs/proofs');
export const pageFile = join(folder, 'README.md');
export const supportFile = join(folder, '../../SUPPORT.md');
export const schemaFile = join(folder, 'proof.schema.json');
export const sightingsFile = join(import.meta.dirname, '../src/models/proofs/sightings.ts');

/** The texts of all other files in docs/proofs, by path. */
export function contributedFiles(): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => ![pageFile, schemaFile].includes(file))
      .map((file) => [relative(folder, file), readFileSync(file, 'utf8')]),
  );
}

const tables = new Map(readTables().map((table) => [table.table.name, table]));

/** What our tests read from recordings of a model, which are not part of this repository, or why they read nothing. */
function recordedOf({ name, base = name }: Model): ModelProof['recorded'] {
  const table = tables.get(name);
  if (table === undefined) return proofs.get(base)?.recorded ?? { no: '' };
  if (table.proof.recorded) return ['configuration'];
  const { has } = table.table.values;
  if (!isObject(has)) return { no: '' };
  return { no: `that a line of each configuration matches \`${has.manual}\` is not verified` };
}

const recordings: ReadonlyMap<string, ModelProof['recorded']> = new Map(
  [...models.values()].map((model) => [model.name, recordedOf(model)]),
);
const isRecorded = (model: string) => !('no' in (recordings.get(model) ?? { no: '' }));
const recordedNames = [...models.keys()].filter(isRecorded);

export function proofSchema(): z.core.JSONSchema.BaseSchema {
  const description =
    'Evidence that skolo read or switched a model of equipment: proof-MODEL-FIRMWARE.json. It contains nothing that identifies a rack.';
  return {
    ...z.toJSONSchema(Proof, { target: 'draft-7' }),
    title: 'skolo evidence file',
    description,
  };
}

type Files = Omit<Checked, 'errors'>;

/** Models of which tests, or files, have what real equipment answered. */
export function recordedModels(files: Files): string[] {
  return [...new Set([...recordedNames, ...files.recordings.map(({ model }) => model)])].sort();
}

/** docs/proofs/README.md with tables of these files. */
export function proofsPage(page: string, files: Files): string {
  const isNone = files.contributions.length + files.recordings.length === 0;
  const content = [isNone ? nothing : evidenceTables(files), recordedTable()].join('\n\n');
  return withGenerated(page, 'files', content);
}

function withGenerated(page: string, name: string, content: string): string {
  const block = `<!-- generated: ${name} -->\n\n${content}\n\n<!-- /generated -->`;
  const previous = new RegExp(`<!-- generated: ${name} -->.*?<!-- /generated -->`, 's');
  return page.replace(previous, () => block);
}

/** SUPPORT.md with the tier of each model. */
export function supportPage(page: string, files: Files): string {
  const sightings = sightingsOf(files);
  const names = [...models.keys()];
  const stable = names.filter((name) => evidenceOf(name, sightings).level === 'proven');
  const list = (of: string[]) => of.map((name) => `\`${name}\``).join(', ') || 'none yet';
  const content = `| tier | equipment models |
| --- | --- |
| stable: switched in two racks with different owners ([evidence](docs/proofs/README.md)) | ${list(stable)} |
| experimental | all other [models](docs/reference/rack-yaml.md#models) |`;
  return withGenerated(page, 'models', content);
}

const nothing =
  'There are no evidence files yet: each model is `recorded` or `not verified on hardware`.';

function recordedTable(): string {
  const rows = [...recordings].flatMap(([model, what]) => {
    const text = 'no' in what ? what.no && `none: ${what.no}` : what.join(', ');
    return text === '' ? [] : [`| \`${model}\` | ${text} |`];
  });
  return [
    'Recordings cover these models. A model that is a table, and is not listed, follows the documents and drivers in its `source`:',
    '',
    '| model | outputs of real equipment |',
    '| --- | --- |',
    ...rows,
  ].join('\n');
}

function evidenceTables(contributed: Files): string {
  const sightings = sightingsOf(contributed);
  const seen = [...models.values()].flatMap(({ name, label }) => {
    const evidence = evidenceOf(name, sightings);
    return evidence.racks === 0 ? [] : [`| \`${name}\` | ${label} | ${levelText(evidence)} |`];
  });
  const row = (
    { path, model, firmware, day }: Checked['recordings' | 'contributions'][number],
    cells: readonly (string | number)[],
  ) => {
    const head = [path.slice(0, path.lastIndexOf('/')), `[\`${model}\`](${path})`, firmware];
    return `| ${[...head, ...cells, day].join(' | ')} |`;
  };
  const files = [
    ...contributed.contributions.map((each) => {
      const hardware = [...new Set(each.devices.map((device) => device.hardware ?? '–'))];
      const problems = each.devices.reduce((sum, device) => sum + device.problems.length, 0);
      return row(each, [hardware.join(', '), each.devices.length, problems]);
    }),
    ...contributed.recordings.map((each) => row(each, [each.hardware ?? '–', 1, 'recording'])),
  ];
  return [
    '| model | equipment | level |',
    '| --- | --- | --- |',
    ...seen,
    '',
    'The other models are `recorded` or `not verified on hardware`.',
    '',
    '| owner and rack | model | firmware | hardware | equipment | problems | day |',
    '| --- | --- | --- | --- | --: | --: | --- |',
    ...files,
  ].join('\n');
}

/** src/proofs/sightings.ts, before it is formatted. */
export function sightingsSource(files: Files): string {
  const lists = [sightingsOf(files), recordedModels(files)];
  // In the order of the file, where each list is the end of a statement.
  return readFileSync(sightingsFile, 'utf8').replaceAll(
    /(\[\] = )\[[^\]]*\];/g,
    (_all, begin) => `${begin}${JSON.stringify(lists.shift(), null, 2)};`,
  );
}
