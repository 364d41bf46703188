import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilter } from './filter.ts';

const message = { severity: 'page', location: 'rack4', quote: 'a"b' };

describe('filter', () => {
  it.each([
    ['', true],
    ['attributes.severity = "page"', true],
    ['attributes.severity="Page"', false],
    ['attributes.toString = "page"', false],
    ['attributes.quote = "a\\"b"', true],
    ['attributes.severity = "page" AND attributes.location = "rack4"', true],
    ['attributes.severity = "page" AND attributes.location = "lab"', false],
  ])('%s', (filter, matches) => {
    expect(parseFilter(filter)(message)).toBe(matches);
  });

  it.each([
    'severity',
    'attributes.severity',
    'attributes.severity = page',
    "attributes.severity = 'page'",
    'attributes.severity = "page',
    'attributes.severity = "page" AND',
    'attributes.severity = "page" attributes.location = "rack4"',
    'attributes.severity = "page" and attributes.location = "rack4"',
    'attributes.a.b = "c"',
    'data = "x"',
  ])('rejects %s', (filter) => {
    expect(() => parseFilter(filter)).toThrow(/^Invalid filter syntax/);
  });

  it('compares with any value', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (value, other) => {
        const isEqual = parseFilter(`attributes.key = ${JSON.stringify(value)}`);

        expect(isEqual({ key: value })).toBe(true);
        expect(isEqual({ key: other })).toBe(value === other);
      }),
      runs(500),
    );
  });
});
