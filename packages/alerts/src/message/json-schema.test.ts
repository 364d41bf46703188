import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { runs } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { messageJsonSchema } from '../../generate/json-schema.ts';
import { alertMessage, anyMessage, flat, full } from '../testing/messages.ts';
import { encode } from './encode.ts';

it('messages.schema.json is current', () => {
  const file = readFileSync(new URL('../../messages.schema.json', import.meta.url), 'utf8');

  expect(JSON.parse(file), 'run `npm run generate`').toEqual(
    JSON.parse(JSON.stringify(messageJsonSchema())),
  );
});

// An independent validator of the schema, if installed.
const python = peer('python3-jsonschema');
const judge = `
import json, sys, jsonschema
schema, documents = json.load(sys.stdin)
for name, document in documents:
    found = dict(schema, **{"$ref": "#/$defs/" + name})
    print(sum(1 for _ in jsonschema.Draft202012Validator(found).iter_errors(document)))
`;

it('describes exactly the messages of subscribers', ({ skip }) => {
  if (python === undefined) return skip('python3-jsonschema is not installed');
  const messages = fc.sample(anyMessage, { ...runs(300), seed: 13 });
  const good = messages.flatMap((message) => {
    const ends = [encode(message, full), encode(message, flat)];
    const [whole, small] = ends.map(({ json }) => JSON.parse(json));
    return [
      ['full', whole],
      ['flat', small],
      ['attributes', ends[0]?.attributes],
    ];
  });
  const wrong = [
    ['full', { kind: 'transition' }],
    ['full', { ...JSON.parse(encode(alertMessage(), full).json), schema: '2' }],
    ['flat', { alertname: 5 }],
    ['attributes', { schema: '1', kind: 'transition' }],
  ];
  const input = JSON.stringify([messageJsonSchema(), [...good, ...wrong]]);

  const { status, stdout, stderr } = spawnSync(python, ['-c', judge], { input, encoding: 'utf8' });

  expect([status, stderr]).toEqual([0, '']);
  const errors = stdout.trim().split('\n').map(Number);
  expect(errors.slice(0, good.length).filter((count) => count > 0)).toEqual([]);
  expect(errors.slice(good.length).every((count) => count > 0)).toBe(true);
});
