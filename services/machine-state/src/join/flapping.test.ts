import type { Machine, MachineCondition, MachineOrder } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { expect, it } from 'vitest';
import { Flapping } from './flapping.ts';

const start = Date.parse('2026-11-20T10:00:00Z');
const order: MachineOrder = {
  id: 'o-1',
  machine: 'rpi-1',
  kind: 'quarantine',
  by: 'ann',
  reason: 'a look',
  since: '2026-11-20T10:00:00Z',
};
const cycle = { outlets: [], cycle: { id: 'c-1', step: 'off' } };

const cause = equipmentCause(['switch-1']);

type Step = [MachineCondition, Partial<Pick<Machine, 'orders' | 'power' | 'cause'>>?];

it.each<[string, Step[]]>([
  ['the reboot of a phone after each task', [['maintenance'], ['ok']]],
  [
    'updates and reboots that the agent announces',
    [['maintenance'], ['stale'], ['maintenance'], ['ok']],
  ],
  ['updates after which the agent answers at once', [['maintenance'], ['stale'], ['ok']]],
  ['power cycles', [['stale', { power: cycle }], ['maintenance'], ['ok']]],
  [
    'a phone that is missing until its machine has booted after a power cycle',
    [['ok', { power: cycle }], ['quarantined'], ['recovering'], ['ok']],
  ],
  [
    'a phone that is missing after a reboot that the agent announces',
    [['maintenance'], ['stale'], ['recovering'], ['ok']],
  ],
  ['a silence whose cause is known', [['stale', { cause }], ['gone', { cause }], ['ok']]],
  ['a silence whose cause is found later', [['stale'], ['stale', { cause }], ['ok']]],
  ['quarantine that somebody orders and ends', [['quarantined', { orders: [order] }], ['ok']]],
])('does not count %s', (_, steps) => {
  expect(changesOf(steps)).toBe(0);
});

it.each<[string, Step[], changes: number]>([
  ['an agent that crashes and starts again', [['stale'], ['maintenance'], ['ok']], 2],
  [
    'a phone that is lost before a silence with a cause',
    [['quarantined'], ['stale', { cause }], ['quarantined'], ['ok']],
    2,
  ],
  ['a phone that is lost and found', [['quarantined'], ['ok']], 2],
  ['a phone that does not come back after a task', [['maintenance'], ['quarantined'], ['ok']], 2],
  [
    'the reboot after a task within a fault as one with it',
    [['recovering'], ['maintenance'], ['quarantined'], ['ok']],
    2,
  ],
  ['an update after which the agent is gone', [['maintenance'], ['stale'], ['gone'], ['ok']], 2],
  ['a fault that outlasts an order', [['quarantined', { orders: [order] }], ['gone'], ['ok']], 2],
])('counts %s', (_, steps, changes) => {
  expect(changesOf(steps)).toBe(4 * changes);
});

/** What a quarter of an hour with these changes, four times over, counts for. */
function changesOf(steps: readonly Step[]): number {
  const flapping = new Flapping();
  let from: MachineCondition = 'ok';
  for (let quarter = 0; quarter < 4; quarter += 1) {
    for (const [i, [condition, more = {}]] of steps.entries()) {
      // Of a machine, what is looked at.
      const machine = { name: 'rpi-1', condition, orders: [], ...more } as unknown as Machine;
      flapping.note(from, machine, at(quarter * 15 + i));
      from = condition;
    }
  }
  return flapping.of('rpi-1', at(59))?.changes ?? 0;
}

function at(minutes: number) {
  return { uptime: minutes * 60_000, wall: start + minutes * 60_000 };
}
