import { equipmentCause } from '@skolo/api/cause';
import type { Incident } from '@skolo/api/incident';
import type { TimelineRow } from '@skolo/api/timeline';
import { words } from '@skolo/api/words';
import { expect, it } from 'vitest';
import { groupsOf, headingOf } from '../pages/src/timeline/groups.ts';

const at = (minutes: number) =>
  new Date(Date.parse('2026-11-20T23:30:00.000Z') + minutes * 60_000).toISOString();
const row = (minutes: number, text: string, names: string[], more: Partial<TimelineRow> = {}) =>
  ({
    at: at(minutes),
    kind: 'note',
    text,
    where: '',
    names,
    details: [],
    versions: [],
    ...more,
  }) as TimelineRow;
const machine = (name: string) => ({ name, at: at(0), lost: [] });
const incident: Incident = {
  ...{ id: 'i-1', title: words('switch-3, 2 machines'), since: at(0), to: at(20), began: [] },
  cause: equipmentCause(['switch-3']),
  ...{ machines: [machine('rpi-1'), machine('rpi-2')], causes: [] },
};
const cycle = { kind: 'cycle', action: 'cycle' } as const;
const dayOf = (time: string) => time.slice(0, 10);

it('rows stand under their incident, where its latest row does, and others under their day', () => {
  const rows = [
    row(-30, 'an hour before', ['rpi-1']),
    row(-0.5, 'power cycle: no ssh; 1 back', ['switch-3'], { ...cycle, by: 'ann' }),
    row(0, 'silent', ['rpi-1', 'rpi-2'], { kind: 'silent' }),
    row(10, 'about something else', ['rpi-9']),
    row(15, 'power cycle: again; 1 back', ['rpi-2'], { ...cycle, by: 'bob' }),
    row(24, 'just after', ['rpi-2']),
    row(26, 'long after', ['rpi-2']),
    row(40, 'tomorrow', []),
  ];

  const groups = groupsOf(rows, [incident], dayOf);

  expect(
    groups.map(({ incident: its, rows: own }) => [its?.id, own.map(({ text }) => text)]),
  ).toEqual([
    [undefined, ['tomorrow']],
    [undefined, ['long after']],
    ['i-1', ['just after', 'power cycle: again; 1 back', 'silent', 'power cycle: no ssh; 1 back']],
    [undefined, ['about something else', 'an hour before']],
  ]);
  const [, , its = { rows: [] }] = groups;
  expect(headingOf(its, 'ann')).toBe('switch-3, 2 machines, bob cycled it, you cycled it');
});

it('nobody who turned the power off or on has cycled it', () => {
  const rows = (['off', 'on'] as const).map((action) =>
    row(0, `power ${action} by ann: too hot`, ['rpi-1'], { kind: 'cycle', action, by: 'ann' }),
  );

  expect(headingOf({ incident, rows }, 'ann')).toBe('switch-3, 2 machines');
});

it('an incident that continues has no end', () => {
  const { to: _, ...open } = incident;

  expect(groupsOf([row(600, 'note', ['rpi-1'])], [open], dayOf)).toMatchObject([
    { incident: { id: 'i-1' } },
  ]);
});
