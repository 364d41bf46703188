import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lines } from './lines.ts';

function linesOf(pieces: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  const lines = new Lines((text) => found.push(text));
  for (const piece of pieces) lines.add(Buffer.from(piece));
  lines.end();
  return found;
}

describe('lines', () => {
  it('are the same however the stream is cut', () => {
    const text = fc
      .array(fc.constantFrom('a', 'ß', '€', '😀', '\n', '\r\n', ' '))
      .map((t) => t.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(60)), (all, cuts) => {
        const bytes = Buffer.from(all);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b)];
        const pieces = at.map((from, i) => bytes.subarray(from, at[i + 1]));

        const expected = all.split('\n').map((line) => line.replace(/\r$/, ''));
        if (all.endsWith('\n') || all === '') expected.pop();
        expect(linesOf(pieces)).toEqual(expected);
      }),
      runs(500),
    );
  });

  it('come in pieces when they are long, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 5 }), (lengths) => {
        const found = linesOf(lengths.map((length) => Buffer.from('x'.repeat(length))));

        const total = lengths.reduce((sum, length) => sum + length, 0);
        expect(found.join('').length).toBe(total);
        expect(found.length).toBe(Math.ceil(total / 65_536));
      }),
      runs(100),
    );
  });
});
