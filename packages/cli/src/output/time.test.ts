import { expect, it, vi } from 'vitest';
import { duration, relative, sizeText, timestamp } from './time.ts';

it.each([
  [-5, '0 s'],
  [0, '0 s'],
  [12.9, '12 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7199, '119 min'],
  [7200, '2 h'],
  [172_799, '47 h'],
  [172_800, '2 days'],
  [90 * 86_400 - 1, '89 days'],
])('duration of %d seconds is %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

const now = Date.parse('2026-11-20T07:30:00Z');

it.each([
  ['2026-11-20T07:29:48Z', '12 s ago'],
  ['2026-11-20T07:30:01Z', '0 s ago'],
  ['2026-11-20T08:30:00Z', 'in 60 min'],
  ['2026-11-17T07:30:00Z', '3 days ago'],
])('relative of %s is %s', (time, text) => {
  expect(relative(Date.parse(time), now)).toBe(text);
});

it.each([
  ['UTC', '2026-11-20T07:30:00Z'],
  ['Europe/Berlin', '2026-11-20T08:30:00+01:00'],
  ['America/St_Johns', '2026-11-20T04:00:00-03:30'],
  ['Asia/Kolkata', '2026-11-20T13:00:00+05:30'],
  ['Pacific/Kiritimati', '2026-11-20T21:30:00+14:00'],
])('a timestamp in %s is %s, without fractions', (zone, text) => {
  vi.stubEnv('TZ', zone);
  const time = 1_795_159_800_123;
  expect(timestamp(new Date(time))).toBe(text);
  expect(Date.parse(timestamp(time))).toBe(time - 123);
  vi.unstubAllEnvs();
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [12_345, '12.3 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [20 * 1024 * 1024, '21.0 MB'],
  [5e12, '5000.0 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
