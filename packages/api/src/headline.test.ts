import { expect, it } from 'vitest';
import { fullDisk, headlineOf } from './headline.ts';
import { equipmentCause } from './incident/cause.ts';
import type { Machine } from './machine-state.ts';

type Given = Parameters<typeof headlineOf>[0][number];
const machines = (number: number, given: Given): Given[] =>
  Array.from({ length: number }, () => given);
const ok: Given = { condition: 'ok' };
const dark = (cause?: string): Given => ({
  condition: 'stale' as Machine['condition'],
  cause: cause === undefined ? undefined : equipmentCause([cause]),
});

it.each<[string, Given[], boolean]>([
  ['41 machines are silent: pdu-1; 0 wait for a person', machines(41, dark('pdu-1')), true],
  [
    '5 machines are silent: 2 switch-1, 1 switch-2, 1 other, 1 without a known cause; 1 waits for a person',
    [
      ...machines(60, ok),
      ...['switch-1', 'switch-1', 'switch-2', 'shelf-1'].map(dark),
      { condition: 'gone', needsAttention: 'find out why' },
    ],
    false,
  ],
  [
    '28 machines are silent: 20 switch-8, 8 without a known cause; 0 wait for a person',
    [...machines(300, ok), ...machines(20, dark('switch-8')), ...machines(8, dark())],
    false,
  ],
  [
    '20 machines are silent: 5 s1, 4 s2, 3 others, 8 without a known cause; 0 wait for a person',
    [
      ...machines(300, ok),
      ...[5, 4, 3].flatMap((number, at) => machines(number, dark(`s${at + 1}`))),
      ...machines(8, dark()),
    ],
    false,
  ],
  [
    '12 machines are silent: 5 s1, 4 s2, 3 others; 0 wait for a person',
    [
      ...machines(300, ok),
      ...[5, 4, 2, 1].flatMap((number, at) => machines(number, dark(`s${at + 1}`))),
    ],
    false,
  ],
  [
    '39 machines respond but take no tasks; 1 waits for a person',
    [
      ...machines(2, ok),
      ...machines(38, { condition: 'recovering' }),
      { condition: 'quarantined', needsAttention: 'all phones are lost' },
    ],
    true,
  ],
  [
    '39 machines respond but take no tasks; 0 wait for a person',
    [...machines(2, ok), ...machines(39, { condition: 'recovering' })],
    true,
  ],
  [
    '2 machines are silent; 3 machines respond but take no tasks; 0 wait for a person',
    [...machines(2, dark()), ...machines(10, ok), ...machines(3, { condition: 'quarantined' })],
    true,
  ],
  ['0 machines wait for a person', [...machines(10, ok), { condition: 'recovering' }], false],
  ['1 machine is silent; 0 wait for a person', [dark(), ...machines(9, ok)], false],
  ['2 machines are silent; 0 wait for a person', [dark(), dark(), ...machines(9, ok)], true],
  [
    '1 machine waits for a person',
    [...machines(9, ok), { condition: 'quarantined', needsAttention: 'battery' }],
    false,
  ],
  ['0 machines wait for a person', [ok], false],
])('%s', (text, given, isBad) => {
  const isWell = text.startsWith('0 ');
  expect(headlineOf(given)).toEqual({ text, isBad, isWell });
});

it('finds a full disk by its code, once, and not in what others say', () => {
  const service = (name: string, why: string, since: string, code?: 'disk-full') => ({
    ...{ name, reachable: true, ready: true },
    degraded: [{ what: 'state directory', why, since, code }],
  });
  const [early, late] = ['2026-11-20T03:00:00Z', '2026-11-20T03:01:00Z'];

  expect(
    fullDisk([
      service('machine-state', '/state: the disk has no free space or inodes', late, 'disk-full'),
      service('router-backup', 'spool: quota exceeded', early, 'disk-full'),
    ]),
  ).toMatchObject({ text: 'the disk is full: machine-state, router-backup', since: early });
  const other = 'switch-1: copy rejected: the disk is full';
  expect(fullDisk([service('router-backup', other, early)])).toBeUndefined();
});
