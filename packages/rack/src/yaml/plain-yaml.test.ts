import { runs } from '@skolo/durable/campaign';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { exampleText } from '../testing/example.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { readYaml } from './yaml.ts';

/** The rule: give up, or read exactly what the full parser reads. */
function expectSame(text: string): void {
  const plain = readPlainYaml(text);
  if (plain === undefined) return;
  expect(plain.value, text).toEqual(readYaml(text, 'x.yaml').value);
}

describe('readPlainYaml', () => {
  it('reads the example, as the full parser does', () => {
    expect(readPlainYaml(exampleText)?.value).toEqual(readYaml(exampleText, 'x.yaml').value);
  });

  it.each([
    ['a: 1', { a: 1 }],
    ['a:\n  b: x y # no\n  c: "x # y"\n', { a: { b: 'x y', c: 'x # y' } }],
    ["a: 'it: [1]'", { a: 'it: [1]' }],
    ['a: { b: [x, 1, true], c: {}, d: [] }', { a: { b: ['x', 1, true], c: {}, d: [] } }],
    ['a: { b: switch-1/[1-3,7], c-[1-2]: d }', { a: { b: 'switch-1/[1-3,7]', 'c-[1-2]': 'd' } }],
    ['a-[01-02]: b[1]c', { 'a-[01-02]': 'b[1]c' }],
    ['a:\n- b\n- c: 1\n  d: 2\n-   e: 3', { a: ['b', { c: 1, d: 2 }, { e: 3 }] }],
    ['a:\n  - { b: 1 }\nc: d', { a: [{ b: 1 }], c: 'd' }],
    ['a:\nb: x', { a: null, b: 'x' }],
    [
      'a: 10.0.0.1\nb: 52:54:00:00:00:01\nd: .x',
      { a: '10.0.0.1', b: '52:54:00:00:00:01', d: '.x' },
    ],
    ['a: http://x/y:8080?z', { a: 'http://x/y:8080?z' }],
    [
      'a: 1.5\nb: 0x10\nc: 012\nd: ~\ne: True\nf: 1e3',
      { a: 1.5, b: 16, c: 12, d: null, e: true, f: 1000 },
    ],
    ['a: b\n  c\nd: [1,\n  2]\ne: "\\n"', { a: 'b c', d: [1, 2], e: '\n' }],
    ['mac: dc:a6:32:00:0b:0b', { mac: 'dc:a6:32:00:0b:0b' }],
    ['"a b": 1\nann@example.com: view', { 'a b': 1, 'ann@example.com': 'view' }],
  ])('%j', (text, value) => {
    expect(readPlainYaml(text)?.value).toEqual(value);
    expectSame(text);
  });

  it.each([
    'a: |\n  text',
    'a: &x 1',
    'a: *x',
    'a: !!str 1',
    'a: .inf',
    'a: 1_000',
    'a: 0b1',
    'a: +.5',
    'a: b: c',
    'a: 1\na: 2',
    '? a\n: b',
    '--- \na: 1',
    'a:\tb',
    'a:\n    b: 1\n  c: 2',
    'null: 1',
    '[a]: 1',
    'a: [1]#b',
    'a: [1, , 2]',
    'a: "b" c',
    '',
    'a: 1\n...\n',
    'a: 1\r\n',
  ])('leaves %j to the full parser', (text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });

  it('reads inventories as the full parser does, in block and in flow style', () => {
    const style = fc.constantFrom<object>(
      {},
      { collectionStyle: 'flow', lineWidth: 0 },
      { indentSeq: false },
      { indent: 4, defaultStringType: 'QUOTE_DOUBLE' },
    );

    fc.assert(
      fc.property(inventory, style, (raw, style) => expectSame(stringify(raw, style))),
      runs(60),
    );
  });

  it('never reads what the full parser reads otherwise, or refuses', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        'b',
        ': ',
        ':',
        '\n',
        '\n  ',
        '\n    ',
        ' ',
        '  ',
        '- ',
        '-',
        '{',
        '}',
        '[',
        ']',
        ', ',
        ',',
        '"',
        "'",
      ],
      ...[
        '#',
        ' #',
        '1',
        '012',
        '0.5',
        'true',
        'null',
        '~',
        '[1-3]',
        'x[1]',
        '&a',
        '*a',
        '!t',
        '|',
        '>',
        '?',
        '@',
        '%',
        '.',
        '/',
        '\t',
        '\\',
        '<<',
        '=',
        'é',
      ],
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (pieces, isMap) => {
        expectSame((isMap ? 'k: ' : '') + pieces.join(''));
      }),
      runs(3000),
    );
  });

  it('never reads a mutilated file otherwise', () => {
    const cut = fc.record({
      at: fc.nat(3000),
      length: fc.nat(6),
      put: fc.constantFrom('', '\n', '  ', ': ', '[', '}', '"', '- ', '#', ' '),
    });
    const text = exampleText.slice(0, 3000);

    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 3 }), (cuts) => {
        expectSame(
          cuts.reduce(
            (text, { at, length, put }) => text.slice(0, at) + put + text.slice(at + length),
            text,
          ),
        );
      }),
      runs(200),
    );
  });
});
