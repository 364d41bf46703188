import { describe, expect, it } from 'vitest';
import type { Machine } from './machine-state.ts';
import { beganAt, recentlySilent } from './silence.ts';

const lastSeen = '2026-11-20T03:09:55.000Z';
const stale: Machine = {
  ...{ name: 'rpi-1', kind: 'rpi', condition: 'stale', sentence: 'the agent is not responding' },
  ...{ since: '2026-11-20T03:10:55.000Z', lastSeen },
  ...{ pools: [], devices: [], repairs: [], orders: [], alerts: [], wiring: { power: [] } },
};

describe('beganAt', () => {
  it.each([
    ['stale', lastSeen],
    ['gone', lastSeen],
    ['quarantined', stale.since],
  ] as const)('of a machine that is %s is %s', (condition, time) => {
    expect(beganAt({ ...stale, condition })).toBe(time);
  });
});

describe('recentlySilent', () => {
  it('leaves out machines that something explains, or that need attention', () => {
    const cycle = { id: '1', step: 'off' };
    const machines: Machine[] = [
      { ...stale, name: 'second', lastSeen: '2026-11-20T03:09:57.000Z' },
      { ...stale, name: 'with a cause', cause: 'switch-1' },
      { ...stale, name: 'being cycled', power: { outlets: [], cycle } },
      { ...stale, name: 'for long', condition: 'gone', needsAttention: 'find out why' },
      { ...stale, name: 'well', condition: 'ok' },
      { ...stale, name: 'first' },
    ];

    expect(recentlySilent(machines).map(({ name }) => name)).toEqual(['first', 'second']);
  });
});
