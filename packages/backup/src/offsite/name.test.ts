import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { objectName, parseObjectName, timeOf } from './name.ts';

const digest = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const device = fc.stringMatching(
  /^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,20}[a-zA-Z0-9])?(\.[a-z0-9]{1,5})?$/,
);
const time = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
});
const hash = fc.stringMatching(/^[0-9a-f]{40}$/);

describe('objectName', () => {
  it('is what older software wrote', () => {
    const object = { device: 'switch-1', time: '2026-11-20T03:15:00-05:00', digest };

    expect(objectName({ ...object, encrypted: false })).toBe(`2026-11-20-switch-1-${digest}.gz`);
    expect(objectName({ ...object, encrypted: true })).toBe(`2026-11-20-switch-1-${digest}.gz.age`);
  });

  it('has the day in UTC', () => {
    const name = objectName({
      device: 'a',
      time: '2026-11-20T23:15:00-05:00',
      digest,
      encrypted: false,
    });

    expect(name).toMatch(/^2026-11-21-/);
  });

  it('is understood again, whatever the device is called', () => {
    fc.assert(
      fc.property(device, time, hash, fc.boolean(), (name, date, content, encrypted) => {
        const time = date.toISOString();
        const about = { digest: content, encrypted };

        const object = objectName({ device: name, time, ...about });

        expect(parseObjectName(object)).toEqual({ device: name, day: time.slice(0, 10), ...about });
      }),
      runs(200),
    );
  });

  it.each([
    ['a folder', { device: 'a/b' }],
    ['a hidden file', { device: '.a' }],
    ['no time', { time: 'soon' }],
    ['a year of five digits', { time: '+012026-11-20T00:00:00Z' }],
    ['no digest', { digest: '' }],
  ])('is not made of %s', (_what, part) => {
    const object = { device: 'a', time: '2026-11-20T00:00:00Z', digest, encrypted: false, ...part };

    expect(() => objectName(object)).toThrow(/cannot form an off-site name/);
  });
});

it.each([
  'README',
  `2026-02-30-switch-1-${digest}.gz`,
  `2026-11-20-${digest}.gz`,
  `2026-11-20-switch-1-${digest}.gz.gpg`,
  `2026-11-20-switch-1-${digest.slice(1)}.gz`,
  `2026-11-20-switch-1-${digest.toUpperCase()}.gz`,
  `2026-11-20-../a-${digest}.gz`,
  `x2026-11-20-switch-1-${digest}.gz`,
])('parseObjectName does not take %s for ours', (name) => {
  expect(parseObjectName(name)).toBeUndefined();
});

describe('timeOf', () => {
  const named = { device: 'a', day: '2026-11-20', digest, encrypted: false };

  it('believes the time in a name of an earlier release more than that of a copied file', () => {
    const again = parseObjectName(`2026-11-20-a-${digest}-081500123.gz`);

    expect(again && timeOf(again, '2001-01-01T00:00:00Z')).toBe('2026-11-20T08:15:00.123Z');
  });

  it('believes a time of the day in the name', () => {
    expect(timeOf(named, '2026-11-20T08:15:00Z')).toBe('2026-11-20T08:15:00.000Z');
  });

  it.each(['2026-11-21T08:15:00Z', 'nonsense'])('does not believe %s', (other) => {
    expect(timeOf(named, other)).toBe('2026-11-20T00:00:00.000Z');
  });
});
