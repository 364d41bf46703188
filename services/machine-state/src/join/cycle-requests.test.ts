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

it('counts the targets of a request by how they ended', () => {
  expect(cycleRequests(twelve, at)).toMatchObject([
    {
      by: 'ann',
      targets: 12,
      running: 2,
      ended: expect.arrayContaining([
        { outcome: 'back', targets: 9 },
        { outcome: 'failed', targets: 1 },
      ]),
    },
  ]);
});

it.each<[string, PowerCycle[], (string | number)[]]>([
  ['nothing', [], []],
  ['one target has its name', [cycle('switch-1')], ['switch-1']],
  ['another person', [cycle('a'), cycle('b', { by: 'bob' })], ['a', 'b']],
  ['another reason', [cycle('a'), cycle('b', { reason: 'again' })], ['a', 'b']],
  ['another action', [cycle('a'), cycle('b', { action: 'off' })], ['a', 'b']],
  ['the same again, a minute later', [cycle('a'), cycle('b', { ms: minute })], ['b', 'a']],
  ['two requests of several at once', [...twelve, cycle('z', { by: 'bob' })], [12, 'z']],
  ['what no person requested', [cycle('a', { origin: 'repair' })], []],
  ['what is too old', [cycle('a', { ms: -721 * minute })], []],
  ['at most twenty', Array.from({ length: 25 }, (_, i) => cycle(`${i}`, { ms: i * minute })), []],
])('%s', (name, cycles, expected) => {
  const found = cycleRequests(cycles, at).map(({ target, targets }) => target ?? targets);
  if (name === 'at most twenty') expect(found).toHaveLength(20);
  else expect(found.toSorted()).toEqual(expected.toSorted());
});
