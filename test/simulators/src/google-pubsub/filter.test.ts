import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilter } from './filter.ts';

const message = {
  severity: 'page',
  location: 'rack4',
  'iana.org/tag': 'en',
  empty: '',
  quote: 'a"b',
};

describe('filter', () => {
  it.each([
    ['', true],
    ['attributes:severity', true],
    ['attributes:nothing', false],
    ['attributes:empty', true],
    ['attributes:"iana.org/tag"', true],
    ['attributes:toString', false],
    ['attributes.severity = "page"', true],
    ['attributes.severity="Page"', false],
    ['attributes.severity != "page"', false],
    ['attributes.nothing != "page"', true],
    ['attributes."iana.org/tag" = "en"', true],
    ['attributes.quote = "a\\"b"', true],
    ['attributes.location = "\\x72ack\\u0034"', true],
    ['hasPrefix(attributes.location, "rack")', true],
    ['hasPrefix(attributes.location, "lab")', false],
    ['hasPrefix(attributes.nothing, "")', false],
    ['NOT attributes:severity', false],
    ['-attributes:nothing', true],
    ['NOT NOT attributes:severity', true],
    ['NOT attributes:nothing AND attributes:severity', true],
    ['attributes:severity AND attributes:nothing', false],
    ['attributes:severity OR attributes:nothing', true],
    ['attributes:nothing OR attributes:none OR attributes:severity', true],
    ['attributes:severity AND (attributes:nothing OR attributes.location = "rack4")', true],
    ['NOT (attributes:severity AND attributes:location)', false],
    ['(attributes:severity)', true],
  ])('%s', (filter, matches) => {
    expect(parseFilter(filter)(message)).toBe(matches);
  });

  it.each([
    'severity',
    'attributes',
    'attributes.severity',
    'attributes.severity = page',
    "attributes.severity = 'page'",
    'attributes.severity = "page',
    'attributes:severity AND',
    'attributes:severity attributes:location',
    'attributes:severity and attributes:location',
    'attributes:severity AND attributes:location OR attributes:none',
    '(attributes:severity',
    'attributes:severity)',
    'NOT',
    'hasPrefix(attributes:severity, "x")',
    'hasSuffix(attributes.severity, "x")',
    'attributes.a.b = "c"',
    'data = "x"',
  ])('rejects %s', (filter) => {
    expect(() => parseFilter(filter)).toThrow(/^Invalid filter syntax/);
  });

  it('compares any key with any value', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, text, (key, value, other) => {
        const isEqual = parseFilter(`attributes.${quoted(key)} = ${quoted(value)}`);

        expect(isEqual({ [key]: value })).toBe(true);
        expect(isEqual({ [key]: other })).toBe(value === other);
        expect(parseFilter(`NOT attributes:${quoted(key)}`)({ [key]: value })).toBe(false);
      }),
    );
  });
});

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
