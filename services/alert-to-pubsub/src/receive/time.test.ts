import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTime } from './time.ts';

describe('a time', () => {
  it.each([
    ['2026-11-20T07:30:00Z', '2026-11-20T07:30:00.000Z'],
    ['2026-11-20t07:30:00z', '2026-11-20T07:30:00.000Z'],
    ['2026-11-20T07:30:00.1Z', '2026-11-20T07:30:00.100Z'],
    ['2026-11-20T07:30:00.123999999Z', '2026-11-20T07:30:00.123Z'],
    ['2026-11-20T07:30:00.123456789123456789+05:30', '2026-11-20T02:00:00.123Z'],
    ['2026-11-20T07:30:00-0800', '2026-11-20T15:30:00.000Z'],
    ['2024-02-29T23:59:60Z', '2024-03-01T00:00:00.000Z'],
    ['0050-01-01T00:00:00Z', '0050-01-01T00:00:00.000Z'],
    ['2026-12-29T07:30:00Z', '2026-12-29T07:30:00.000Z'],
    ['1960-12-28T23:59:59.9999999Z', '1960-12-28T23:59:59.999Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, expected) => {
    expect(new Date(Number(readTime(text))).toISOString()).toBe(expected);
  });

  it.each([
    undefined,
    null,
    '',
    '0001-01-01T00:00:00Z',
    '0001-01-01T00:00:00.000Z',
    '0001-01-01T00:00:00.000000000+00:00',
    '0001-01-01T00:00:00+14:00',
    '0001-01-01T00:53:28+00:53',
    '0000-12-31T19:03:58-04:56',
  ])('is unset: %s', (value) => {
    expect(readTime(value)).toBeUndefined();
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01',
    '2026-01-01T00:00:00Z ',
    '2026-01-01 00:00:00Z',
    '2026-01-01',
    '10000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '٢٠٢٦-01-01T00:00:00Z',
    'Fri, 20 Nov 2026 07:30:00 GMT',
    5,
    {},
  ])('is none: %j', (value) => {
    expect(readTime(value)).toMatch(/^is /);
  });

  it('is what Date takes it for, in every offset', () => {
    const times = fc.date({
      min: new Date('0002-01-01T00:00:00Z'),
      max: new Date('9998-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, fc.integer({ min: -839, max: 839 }), (time, minutes) => {
        const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const of = (part: number) => String(Math.trunc(Math.abs(part))).padStart(2, '0');
        const offset = `${minutes < 0 ? '-' : '+'}${of(minutes / 60)}:${of(minutes % 60)}`;
        expect(readTime(local + offset)).toBe(time.getTime());
      }),
      runs(500),
    );
  });
});
