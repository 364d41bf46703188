/** The estimate before `JSON.parse`, compared with V8's heap after it: random shapes, and those that cost the most for each byte. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonShare, measureJson, mostPerByte } from './memory.ts';
import { parseJson } from './parse-json.ts';

/** In a shape, `#` is a name and `%` an integer that stands nowhere else in the text. */
function repeated(shape: string, bytes = 100_000): string {
  const parts: string[] = [];
  let unique = 0;
  for (let length = 0; length < bytes; ) {
    const part = shape.replace(/[#%]/g, (char) => {
      unique += 1;
      return char === '#' ? unique.toString(36) : `${unique}`;
    });
    parts.push(part);
    length += part.length + 1;
  }
  return `[${parts.join(',')}]`;
}

const keys = [
  'a',
  'b',
  '',
  '#',
  'k#',
  '%',
  '99',
  '4294967294',
  '__proto__',
  '語#',
  '\\u8a9e#',
  `${'x'.repeat(99)}#`,
];
const values = [
  '0',
  '-0',
  '0.5',
  '1e9',
  '1e308',
  'null',
  'true',
  '""',
  '"#"',
  '"%"',
  '"語#"',
  '"é#"',
];
const texts = [
  '"\\n#"',
  '"\\u8a9e#"',
  '"\\"\\\\"',
  '"11 letters#"',
  `"${'x'.repeat(99)}"`,
  `"語${'x'.repeat(99)}"`,
];

const { shape: anyShape } = fc.letrec<{ shape: string; list: string; object: string }>((tie) => ({
  shape: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...values, ...texts),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('shape'), { maxLength: 6 }).map((all) => `[${all.join(',')}]`),
  object: fc
    .array(fc.tuple(fc.constantFrom(...keys), tie('shape')), { maxLength: 6 })
    .map((all) => `{${all.map(([key, value]) => `"${key}":${value}`).join(',')}}`),
}));

const names = (count: number, value: string) =>
  Array.from({ length: count }, () => `"#":${value}`).join(',');
const whole = {
  'lists in lists': `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  'objects in objects': `${'{"a":'.repeat(20_000)}0${'}'.repeat(20_000)}`,
  'one object of many names': `{${repeated('"#":0').slice(1, -1)}}`,
  'one object of many empty objects': `{${repeated('"#":{}').slice(1, -1)}}`,
  'one object of sparse integers': `{${repeated('"%00007":0').slice(1, -1)}}`,
  'one object with the same name': `{${repeated('"a":0').slice(1, -1)}}`,
  'one long text': `["${'x'.repeat(1_000_000)}"]`,
  'one long text in two bytes': `["語${'x'.repeat(1_000_000)}"]`,
  'one long text with an escape': `["\\u8a9e${'x'.repeat(1_000_000)}"]`,
  'one character in two bytes': `["語","${'x'.repeat(1_000_000)}"]`,
  'only blanks': `[${' '.repeat(1_000_000)}]`,
};
const costly = [
  ...[
    '{"#":0}',
    '{"#":{}}',
    '{"#":1e308}',
    '{"#":0,"#":0}',
    '{"a":0,"b":0,"#":0}',
    '{"a":0,"a":0}',
  ],
  ...['{"%":0}', '{"99":0}', '{"4294967294":0}', '{"0":0,"1000":0}', '{"語#":0}', '{"\\u8a9e#":0}'],
  ...[5, 20, 60, 130, 1030].flatMap((count) =>
    ['0', '1e308', '"#"', '{}', '12345678901'].map((value) => `{${names(count, value)}}`),
  ),
  ...[
    '[]',
    '{}',
    '[0]',
    '[[[[]]]]',
    '[0.5,1]',
    '[0.5,""]',
    '["",{}]',
    '{"":0}',
    '{"__proto__":{"#":0}}',
  ],
  ...[
    '0',
    '"#"',
    '"x#"',
    '""',
    '"語"',
    '"語#"',
    '"\\u8a9e#"',
    '"11 letters#"',
    '"",-0',
    '{},1e308',
  ],
];

type Measured = Record<'real' | 'estimate' | 'realValue' | 'value', number>;

describe('the estimate', () => {
  it('is at least what the heap takes, for random and for the worst shapes', async () => {
    const random = fc.sample(anyShape, { seed: 70, numRuns: 100 });
    const all = [
      ...[...costly, ...random].map((shape) => [shape, repeated(shape)] as const),
      ...Object.entries(whole),
    ];

    const run = promisify(execFile)(process.execPath, [
      '--expose-gc',
      join(import.meta.dirname, '../testing/json-heap.ts'),
    ]);
    run.child.stdin?.end(JSON.stringify(all.map(([, text]) => text)));
    const found = JSON.parse((await run).stdout) as Measured[];

    expect(found).toHaveLength(all.length);
    const low = found.flatMap(({ real, estimate, realValue, value }, i) =>
      real > estimate || realValue > value
        ? [[all[i]?.[0], { real, estimate, realValue, value }]]
        : [],
    );
    expect(low).toEqual([]);
    // Not by far too much either: the limit must accept what people send.
    expect(Math.max(...found.map(({ real, estimate }) => real / estimate))).toBeGreaterThan(0.8);
  });

  it.each(costly)('is never more for each byte than the quick answer assumes: %s', (shape) => {
    const bytes = Buffer.from(repeated(shape));

    expect(measureJson(bytes).memory).toBeLessThan(bytes.length * mostPerByte);
  });

  it('of a list of 10,000 alerts is not much more than its text', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`label_${i}`, 'value'.repeat(5)]),
    );
    const alert = {
      labels,
      annotations: { description: 'x'.repeat(700) },
      startsAt: '2026-11-20T07:30:00Z',
    };
    const text = JSON.stringify(Array.from({ length: 10_000 }, () => alert));

    expect(measureJson(Buffer.from(text)).memory).toBeLessThan(2 ** 27);
  });
});

describe('parseJson', () => {
  it.each(['{"#":0}', '{}', '[]'])(
    'does not parse what would take more than the share: %s',
    (shape) => {
      expect(parseJson(repeated(shape, jsonShare / 8))).toBeUndefined();
      expect(parseJson(repeated(shape))).toBeDefined();
    },
  );

  it('parses a long text within the share', () => {
    const long = 'x'.repeat(jsonShare / 4);

    expect(parseJson(JSON.stringify(long))).toBe(long);
  });
});
