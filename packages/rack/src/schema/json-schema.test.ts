import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { peer } from '@skolo/simulators';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { rackReference } from '../../generate/reference.ts';
import { expandedInventory } from '../formats/inventory.ts';
import { parseRack } from '../read/load.ts';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { badExamples } from '../testing/bad-examples.ts';
import { exampleRack, exampleText } from '../testing/example.ts';
import { rackJsonSchema } from './json-schema.ts';

const generate = 'run `npm run generate`';

describe('what is generated', () => {
  const reference = rackReference();

  it('rack.schema.json is current', () => {
    const file = readFileSync(new URL('../../rack.schema.json', import.meta.url), 'utf8');

    expect(JSON.parse(file), generate).toEqual(JSON.parse(JSON.stringify(rackJsonSchema())));
  });

  it('docs/reference/rack-yaml.md is current', () => {
    const file = readFileSync(
      new URL('../../../../docs/reference/rack-yaml.md', import.meta.url),
      'utf8',
    );

    expect(file, generate).toBe(reference);
  });

  it.each([
    'network.subnet',
    'jumphost.aliases',
    'credentials.impersonate',
    'snmp.privKey',
    'devices[].serial',
    'endpoints.pdudaemon.allow',
    'repair.internet.enabled',
    'sinks[].url',
    'deviceModels.NAME.hotCelsius',
  ])('the reference has %s', (key) => {
    const [section = '', name = ''] =
      key.startsWith('network') || key.startsWith('jumphost') ? key.split('.') : ['', key];

    expect(reference.slice(reference.indexOf(`## ${section}`))).toContain(`| \`${name}\` |`);
  });

  it('the example points editors to the schema', () => {
    expect(exampleText.split('\n')[0]).toBe(
      '# yaml-language-server: $schema=../../../packages/rack/rack.schema.json',
    );
  });
});

// An independent judge of the schema, where it is installed.
const python = peer('python3-jsonschema');
const judge = `
import json, sys, jsonschema
schema, documents = json.load(sys.stdin)
validator = jsonschema.Draft7Validator(schema)
validator.check_schema(schema)
json.dump([[e.json_path for e in validator.iter_errors(d)] for d in documents], sys.stdout)
`;

function judged(documents: unknown[]): string[][] {
  const { stdout, stderr } = spawnSync(python ?? '', ['-W', 'ignore', '-c', judge], {
    input: JSON.stringify([rackJsonSchema(), documents]),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('the JSON Schema, by an independent judge', () => {
  beforeEach((context) => {
    if (!python) context.skip('python3-jsonschema is not installed');
  });

  it('takes what is valid, and finds the errors that it can see', () => {
    const generated = fc.sample(inventory, { numRuns: 20, seed: 7 });
    const expanded = generated.map((raw) =>
      expandedInventory(parseRack(stringify(raw), { file: 'x' })),
    );
    const documents = [
      parse(exampleText),
      expandedInventory(exampleRack()),
      ...generated,
      ...expanded,
    ];

    const wrong = badExamples.filter(({ name }) =>
      /^(unknown|type|role|model-unknown|missing)/.test(name),
    );

    // Both at once: the judge costs a second to start.
    const errors = judged([...documents, ...wrong.map(({ yaml }) => parse(yaml))]);
    expect(errors.slice(0, documents.length).flat()).toEqual([]);
    expect(wrong.length).toBeGreaterThan(5);
    const unseen = wrong.filter((_, i) => errors[documents.length + i]?.length === 0);
    expect(unseen.map(({ name }) => name)).toEqual([]);
  });
});
