import { describe, expect, it } from 'vitest';
import { equipmentCause } from './incident/cause.ts';
import { type Machine, MachineCondition } from './machine-state.ts';
import {
  beganAt,
  conditionWord,
  incidentsOf,
  isSilent,
  onItOf,
  recentlySilent,
  silentIn,
} from './silence.ts';

const lastSeen = '2026-11-20T03:09:55.000Z';
const stale: Machine = {
  ...{ name: 'rpi-1', kind: 'rpi', condition: 'stale', sentence: 'the agent is not responding' },
  ...{ since: '2026-11-20T03:10:55.000Z', lastSeen },
  ...{ pools: [], devices: [], repairs: [], orders: [], alerts: [], wiring: { power: [] } },
};

it('the word of a condition, and what counts as silent in metrics, agree with isSilent', () => {
  for (const condition of MachineCondition.options) {
    const is = isSilent({ condition });
    expect(conditionWord(condition)).toBe(is ? 'silent' : condition);
    expect(silentIn({ [condition]: 3, ok: 40 })).toBe(is ? 3 : 0);
  }
});

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
      { ...stale, name: 'with a cause', cause: equipmentCause(['switch-1']) },
      { ...stale, name: 'being cycled', power: { outlets: [], cycle } },
      { ...stale, name: 'for long', condition: 'gone', needsAttention: 'find out why' },
      { ...stale, name: 'well', condition: 'ok' },
      { ...stale, name: 'first' },
    ];

    expect(recentlySilent(machines).map(({ name }) => name)).toEqual(['first', 'second']);
  });
});

it('who is on it is one line for each person and incident, and what began before it is named as such', () => {
  const began = '2026-11-20T03:26:05.000Z';
  const at = (minutes: number) =>
    new Date(Date.parse('2026-11-20T03:30:00.000Z') + minutes * 60_000).toISOString();
  const hold = (id: string, by: string, since: string, until: string, incident: string) => ({
    power: { outlets: [], onIt: [{ id, by, since, until, incident }] },
  });
  const machines = [
    hold('1', 'ann', at(0), at(240), 'i-1'),
    hold('2', 'ann', at(1), at(241), 'i-1'),
    hold('3', 'ann', at(-600), at(-360), 'i-0'),
    hold('4', 'bob', at(2), at(242), 'i-1'),
    { power: { outlets: [] } },
    {},
  ];

  const people = onItOf(machines, began);
  expect(
    people.map(({ by, isEarlier, machines: its, until, ids }) => [by, isEarlier, its, until, ids]),
  ).toEqual([
    ['ann', true, 1, at(-360), ['3']],
    ['ann', false, 2, at(241), ['1', '2']],
    ['bob', false, 1, at(242), ['4']],
  ]);
});

it.each([
  ['of most of them', ['old-1', 'new-1', 'new-2'], ['new', 'old']],
  ['of as many, the newest', ['old-1', 'new-1'], ['new', 'old']],
  ['of most of them, although it is older', ['old-1', 'old-2', 'new-1'], ['old', 'new']],
  ['none of others', ['new-2'], ['new']],
])('the first incident of machines is that %s', (_, names, expected) => {
  const [night, day] = ['2026-11-20T02:00:05.000Z', '2026-11-20T08:00:05.000Z'];
  const incidents = [
    { id: 'old', since: night, machines: ['old-1', 'old-2'] },
    { id: 'new', since: day, machines: ['new-1', 'new-2'] },
  ];
  for (const all of [incidents, incidents.toReversed()]) {
    const own = incidentsOf(
      names.map((name) => ({ name })),
      all,
    );
    expect(own.map(({ id }) => id)).toEqual(expected);
  }
});
