import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packPoints, type Series, unpackPoints } from './points.ts';

const hour = 494_000;

const series = fc.record({
  quantity: fc.string({ unit: 'grapheme', maxLength: 40 }),
  unit: fc.constantFrom('percent', 'celsius'),
  points: fc
    .array(fc.tuple(fc.integer({ min: 0, max: 359 }), fc.integer({ min: -2000, max: 2000 })))
    .map((points) =>
      points
        .sort(([a], [b]) => a - b)
        .map(([tens, halves]): [number, number] => [hour * 3600 + tens * 10, halves / 2]),
    ),
}) satisfies fc.Arbitrary<Series>;

it('gives back what was packed, to 10 seconds and a half', () => {
  fc.assert(
    fc.property(fc.array(series, { maxLength: 4 }), (all) => {
      expect(unpackPoints(hour, packPoints(hour, all))).toEqual(all);
    }),
    runs(500),
  );
});

it('never throws, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      unpackPoints(hour, bytes);
    }),
    runs(500),
  );
});

it('takes two bytes for most points', () => {
  const points = Array.from({ length: 60 }, (_, i): [number, number] => [
    hour * 3600 + i * 60,
    30 + (i % 5),
  ]);

  const packed = packPoints(hour, [{ quantity: 'cpu', unit: 'celsius', points }]);

  expect(packed.length).toBeLessThan(60 * 2 + 10);
});
