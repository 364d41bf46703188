import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Version } from './source.ts';
import { resolveVersion } from './versions.ts';

const versions: Version[] = [
  { id: 'c3d4aaaa', device: 'switch-1', time: '2026-11-20T03:15:00.000Z' },
  { id: 'c3d4bbbb', device: 'switch-1', time: '2026-11-18T23:59:59.500Z' },
  { id: '2026', device: 'switch-1', time: '2026-11-18T03:15:00.000Z' },
];

describe('a version', () => {
  it.each([
    ['latest', 'c3d4aaaa'],
    ['latest~0', 'c3d4aaaa'],
    ['latest~2', '2026'],
    ['c3d4bbbb', 'c3d4bbbb'],
    ['c3d4b', 'c3d4bbbb'],
    ['2026', '2026'],
    ['2026-11-18', 'c3d4bbbb'],
    ['2026-11-19', 'c3d4bbbb'],
    ['2026-11-20', 'c3d4aaaa'],
    ['2030-01-01', 'c3d4aaaa'],
    ['2026-11-18T04:00:00Z', '2026'],
    ['2026-11-20T03:15Z', 'c3d4aaaa'],
    ['2026-11-20t04:14:59+01:00', 'c3d4bbbb'],
    ['2026-11-20 04:15:00+01:00', 'c3d4aaaa'],
  ])('%s is %s', (wanted, id) => {
    expect(resolveVersion(versions, wanted).id).toBe(id);
  });

  it.each([
    ['latest~3', 'latest~3 does not exist: the history contains 3 versions'],
    [
      '2026-11-17',
      'there was no version at 2026-11-17; the oldest is from 2026-11-18T03:15:00.000Z',
    ],
    ['2026-02-30', '2026-02-30 is not a valid date or time'],
    ['2026-11-20T99:15:00Z', '2026-11-20T99:15:00Z is not a valid date or time'],
    ['c3d4', 'c3d4 matches 2 versions: c3d4aaaa, c3d4bbbb'],
    ['c3d', 'c3d is too short: specify at least 4 characters of an ID'],
    ['', ' is too short: specify at least 4 characters of an ID'],
    [
      'yesterday',
      '"yesterday" does not exist; specify latest, latest~1, a date such as 2026-11-19, or an ID: c3d4aaaa, c3d4bbbb, 2026',
    ],
  ])('%j is none', (wanted, message) => {
    expect(() => resolveVersion(versions, wanted)).toThrow(
      expect.objectContaining({ code: 'not-found', message }),
    );
  });

  it('is never one of no versions', () => {
    expect(() => resolveVersion([], 'latest')).toThrow('no versions have been stored yet');
  });

  it('is the newest that was read by then, also where the clock jumped', () => {
    const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.array(time, { minLength: 1 }), time, (times, wanted) => {
        const all = times.map((each, n) => ({
          id: `v${n}`,
          device: 'x',
          time: each.toISOString(),
        }));
        const expected = all.find((each) => each.time <= wanted.toISOString());

        if (expected) expect(resolveVersion(all, wanted.toISOString())).toBe(expected);
        else
          expect(() => resolveVersion(all, wanted.toISOString())).toThrow('there was no version');
      }),
      runs(100),
    );
  });
});
