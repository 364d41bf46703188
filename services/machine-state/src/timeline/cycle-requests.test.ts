import type { PowerCycle } from '@skolo/api';
import { expect, it } from 'vitest';
import { cycleRequests } from './cycle-requests.ts';

const at = Date.parse('2026-11-20T03:00:00.000Z');
const minute = 60_000;

function cycle(target: string, more: Partial<PowerCycle> & { ms?: number } = {}): PowerCycle {
  const { ms = 0, ...rest } = more;
  return {
    id: `id of ${target}`,
    target,
    action: 'cycle',
    mode: 'auto',
    outlets: [],
    reason: 'no ssh',
    by: 'ann',
    origin: 'person',
    requestedAt: new Date(at + ms).toISOString(),
    offSeconds: 5,
    force: false,
    step: 'queued',
    steps: [],
    ...rest,
  };
}

const twelve = Array.from({ length: 12 }, (_, i) =>
  cycle(`rpi-${i}`, i < 9 ? { outcome: 'back', ms: i } : i === 9 ? { outcome: 'failed' } : {}),
);

it.each([
  [
    'with the number of each outcome',
    twelve,
    { text: 'power cycle by ann: no ssh; 9 back, 2 queued, 1 failed', failed: 1 },
  ],
  [
    'when all have ended',
    twelve.map((each) => ({ ...each, outcome: 'back' as const, finishedAt: each.requestedAt })),
    { text: 'power cycle by ann: no ssh; 12 back', failed: 0, endedAt: expect.any(String) },
  ],
])('a request is one row, %s', (_, cycles, expected) => {
  const where = 'rpi-[0-11] (12)';
  expect(cycleRequests(cycles, at)).toEqual([
    { at: cycles[0]?.requestedAt, by: 'ann', where, ...expected },
  ]);
});

it.each<[string, PowerCycle[], string[]]>([
  ['nothing', [], []],
  ['one target has its name', [cycle('switch-1')], ['switch-1']],
  ['another person', [cycle('a'), cycle('b', { by: 'bob' })], ['a', 'b']],
  ['another reason', [cycle('a'), cycle('b', { reason: 'again' })], ['a', 'b']],
  ['another action', [cycle('a'), cycle('b', { action: 'off' })], ['a', 'b']],
  ['the same again, later', [cycle('a'), cycle('b', { ms: minute + 1 })], ['b', 'a']],
  ['several at once', [...twelve, cycle('z', { by: 'bob' })], ['z', 'rpi-[0-11] (12)']],
  ['what no person requested', [cycle('a', { origin: 'repair' })], []],
  ['what is too old', [cycle('a', { ms: -721 * minute })], []],
])('%s', (_, cycles, expected) => {
  expect(cycleRequests(cycles, at).map(({ where }) => where)).toEqual(
    expect.arrayContaining(expected),
  );
  expect(cycleRequests(cycles, at)).toHaveLength(expected.length);
});

it('shows at most twenty', () => {
  const many = Array.from({ length: 25 }, (_, i) => cycle(`${i}`, { ms: 2 * i * minute }));
  expect(cycleRequests(many, at)).toHaveLength(20);
});
