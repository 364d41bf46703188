import { describe, expect, it } from 'vitest';
import { uptimeAt } from './uptime-at.ts';

describe('the uptime at a wall time', () => {
  const clock = { now: () => Date.parse('2026-11-20T12:00:00Z'), uptime: () => 1000 };

  it.each([
    ['2026-11-20T11:59:00Z', 940],
    ['2026-11-20T12:59:00+01:00', 940],
    ['2026-11-20T12:01:00Z', 1000],
    ['yesterday', 1000],
  ])('%s: %i s', (time, seconds) => {
    expect(uptimeAt(clock, time)).toBe(seconds);
  });
});
