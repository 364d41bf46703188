import { processorTime, runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  escapeRange,
  expandNames,
  expandRange,
  hasRange,
  maxNames,
  RangeSyntaxError,
} from './ranges.ts';

describe('expandRange', () => {
  it.each([
    ['rpi', ['rpi']],
    ['rpi-[1-3]', ['rpi-1', 'rpi-2', 'rpi-3']],
    ['rpi-[001-003,7]', ['rpi-001', 'rpi-002', 'rpi-003', 'rpi-7']],
    ['[08-11]x', ['08x', '09x', '10x', '11x']],
    ['[0-2]', ['0', '1', '2']],
    ['[007]', ['007']],
    ['rack[1-2]-[1-3]', ['rack1-1', 'rack1-2', 'rack1-3', 'rack2-1', 'rack2-2', 'rack2-3']],
    ['a[1][2]', ['a12']],
    ['', ['']],
    // Brackets around anything else are text.
    ['[a-z]', ['[a-z]']],
    ['^\\[edit\\]', ['^\\[edit\\]']],
    ['[1-3', ['[1-3']],
    ['[]', ['[]']],
    ['[1,]', ['[1,]']],
    // A backslash makes them so.
    ['a\\[1-3]', ['a[1-3]']],
    ['\\[1][2-3]', ['[1]2', '[1]3']],
  ])('%s', (text, names) => {
    expect(expandRange(text)).toEqual(names);
  });

  it.each([
    ['[3-1]', '[3-1] is reversed; did you mean [1-3]?'],
    [
      '[1-010]',
      '[1-010] has numbers of different lengths, and one has leading zeros; did you mean [001-010]?',
    ],
    ['x[1-10001]', '[1-10001] expands to more than 10000 names'],
    ['[1-99999999999999999999]', '[1-99999999999999999999] expands to more than 10000 names'],
    ['[1-200]-[1-200]', '"[1-200]-[1-200]" expands to more than 10000 names'],
  ])('%s is rejected', (text, message) => {
    expect(() => expandRange(text)).toThrow(new RangeSyntaxError(message));
  });

  // All of them would take gigabytes.
  it.each([
    ['a span', `[${'1-9999,'.repeat(10_000)}1]`],
    ['a name', `x,${'x[1-9999],'.repeat(10_000)}`],
  ])('is rejected as soon as it has too many names, whatever follows: %s', async (_, text) => {
    const { ms } = await processorTime(500, () =>
      expect(() => expandNames(text)).toThrow('expands to more than 10000 names'),
    );
    expect(ms).toBeLessThan(500);
  });

  it('takes as many names as are allowed', () => {
    expect(expandRange(`x[1-${maxNames}]`)).toHaveLength(maxNames);
  });
});

it('escapeRange returns text that expands to itself', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[\\[\]0-9,a-]{0,12}$/),
    fc.constantFrom('[1-3]', '\\[1-3]', '\\\\[2]', '[1][2-1]'),
  );

  fc.assert(
    fc.property(text, (text) => {
      expect(expandRange(escapeRange(text))).toEqual([text]);
    }),
    runs(500),
  );
});

describe('expandNames', () => {
  it('takes what a person types', () => {
    expect(expandNames('a-[1-2,5], b  c-[01-02]')).toEqual([
      'a-1',
      'a-2',
      'a-5',
      'b',
      'c-01',
      'c-02',
    ]);
  });

  it('bounds the sum', () => {
    expect(() => expandNames('[1-9000] [1-9000]')).toThrow(RangeSyntaxError);
  });
});

it.each([
  ['a-[1-2]', true],
  ['a-[x]', false],
  ['a', false],
])('hasRange: %s: %s', (text, expected) => {
  expect(hasRange(text)).toBe(expected);
});
