import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldValues } from './fold.ts';
import { expandRange } from './ranges.ts';

describe('foldValues', () => {
  it.each([
    [
      ['a-1', 'a-2', 'b'],
      ['a-[1-2]', 'b'],
    ],
    [['a-1', 'a-3'], ['a-[1,3]']],
    [['a-009', 'a-010'], ['a-[009-010]']],
    [['a-9', 'a-10'], ['a-[9-10]']],
    [['a-09', 'a-9'], ['a-[09,9]']],
    [
      ['r1-1', 'r1-2', 'r2-1', 'r2-2', 'r3-1'],
      ['r[1-2]-[1-2]', 'r3-1'],
    ],
    [['b-2', 'b-1'], ['b-[2,1]']],
    [
      ['b8:27:eb:00:00:08', 'b8:27:eb:00:00:09', 'b8:27:eb:00:00:0a'],
      ['b8:27:eb:00:00:[08-09]', 'b8:27:eb:00:00:0a'],
    ],
    [[], []],
  ])('%j is %j', (values, texts) => {
    expect(foldValues(values)).toEqual(texts);
  });

  it('keeps all values, in their order', () => {
    const value = fc.tuple(
      fc.constantFrom('a/', 'b/0', 'eth', 'x1-', 'b8:27:eb:00:00:'),
      fc.integer({ min: 0, max: 120 }),
      fc.constantFrom('', '/x', '-1', '-2'),
    );

    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (values) => {
        const texts = values.map((parts) => parts.join(''));

        expect(foldValues(texts).flatMap(expandRange)).toEqual(texts);
      }),
      runs(500),
    );
  });

  it('is the inverse of expandRange', () => {
    const range = fc
      .tuple(fc.nat(50), fc.nat(20), fc.nat(5), fc.nat(5))
      .map(([from, count, a, b]) => `r[${a}-${a + b + 1}]-n[${from}-${from + count + 1}]`);

    fc.assert(
      fc.property(range, (text) => {
        expect(foldValues(expandRange(text))).toEqual([text]);
      }),
      runs(200),
    );
  });
});
