import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonErrorOffset, lineAndColumn } from './json-position.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('jsonErrorOffset', () => {
  it.each([
    ['', 0],
    ['{', 1],
    ['{"a": 1,}', 8],
    ['{"a" 1}', 5],
    ["{'a': 1}", 1],
    ['[1 2]', 3],
    ['[1,]', 3],
    ['[1}', 2],
    ['nul', 3],
    ['trux', 3],
    ['01', 1],
    ['1.e5', 2],
    ['-', 1],
    ['"a\nb"', 2],
    ['"\\x"', 2],
    ['"\\u12g4"', 5],
    ['"open', 5],
    ['{} x', 3],
    ['{"a":"b" "c"}', 9],
  ])('%j is wrong at %i', (text, offset) => {
    expect(jsonErrorOffset(text)).toBe(offset);
  });

  it('finds nothing wrong with JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t', '\r\n'), (value, indent) => {
        expect(jsonErrorOffset(JSON.stringify(value, null, indent))).toBeUndefined();
      }),
      runs(500),
    );
  });

  it('agrees with JSON.parse about what is JSON', () => {
    const token = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"', '\\', 'u00', 'n', 'true', 'null', '0', '1', '-'],
      ...['.', 'e', '+', ' ', '\n', '"a"', '"a":', '\u0001', '\u00a0', '\ufeff'],
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');

        expect(jsonErrorOffset(text) === undefined).toBe(isJson(text));
      }),
      runs(5000),
    );
  });

  it('takes a deep document without running out of stack', () => {
    expect(jsonErrorOffset('['.repeat(200_000))).toBe(200_000);
  });
});

it('lineAndColumn counts from 1', () => {
  expect(lineAndColumn('ab\ncd', 0)).toBe('line 1, column 1');
  expect(lineAndColumn('ab\ncd', 4)).toBe('line 2, column 2');
});
