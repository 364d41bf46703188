import type { IncidentReport, RackView } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { untilTestEnds } from '@skolo/base/testing';
import { startScripted } from '@skolo/scripted-services/service';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const since = '2026-11-20T03:26:05.000Z';
const away = (name: string, text: string) => ({
  ...{ name, at: since, lost: ['t-1'] },
  evidence: [{ kind: 'no-link' as const, text: words(text) }],
});
const report: IncidentReport = {
  ...{ id: '20261120T032605-rpi-1', title: words('switch-1, 4 machines'), since },
  began: ['rpi-1'],
  machines: [
    { name: 'rpi-1', at: since, answeredAt: '2026-11-20T03:29:00.000Z', lost: [] },
    away('rpi-3', 'port switch-1/3 has no link'),
    away(
      'rpi-2',
      'outlet pdu-1/2 stays off until someone turns it on: turned off by ann: \u001b[2J',
    ),
    { name: 'rpi-9', at: since, left: { at: since, as: 'left' }, lost: [] },
  ],
  cause: equipmentCause(['switch-1']),
  causes: [
    {
      at: since,
      cause: equipmentCause(['switch-1']),
      why: words('switch-1 is down'),
      machines: 3,
    },
  ],
  differences: ['model pixel 6: 2 of 2 that did not return, 0 of 1 that did'],
  rows: [],
  missing: [],
};
const view: RackView = {
  ...{
    rack: 'rack4',
    timezone: 'UTC',
    equipment: [],
    causes: [],
    incidents: [],
    services: [],
    alerts: [],
  },
  shelves: [
    { name: 'top', machines: ['rpi-3'] },
    { name: 'bottom', machines: ['rpi-1', 'rpi-2'] },
  ],
  rackFile: { loadedAt: since, warnings: [], problems: [], changes: [] },
};

async function skolo(...args: string[]) {
  const service = untilTestEnds(
    await startScripted('machine-state', { incident: () => report, rack: () => view }),
  );
  return await runCommand([...args, '--url', service.url], { columns: 80, rows: 24 });
}

it('lists who has not come back in walking order, with the reason', async () => {
  const { out, exitCode } = await skolo('machine', 'list', '--not-back');

  expect(out).toMatch(
    /^1 of 4 came back, 2 did not: rpi-3, rpi-2; 1 left rack.yaml: rpi-9; 2 tasks\n  lost,/,
  );
  expect(out.slice(out.indexOf('\n\n'))).toBe(`

top
[ ] rpi-3, place 1: port switch-1/3 has no link

bottom
[ ] rpi-2, place 2: outlet pdu-1/2 stays off until someone turns it on: turned
  off by ann:
`);
  expect(exitCode).toBe(0);
});

it('rejects a period that it does not understand', async () => {
  const { err, exitCode } = await skolo('machine', 'list', '--not-back', 'yesterday');

  expect([err, exitCode]).toEqual([expect.stringContaining('expected a period such as 2h'), 2]);
});

it('prints an incident', async () => {
  const { out, exitCode } = await skolo('timeline', '--incident', 'last');

  expect(exitCode).toBe(0);
  for (const line of [
    'rack4, incident 20261120T032605-rpi-1',
    'rpi-3  port switch-1/3 has no link',
    'Only those that did not return',
  ]) {
    expect(out.split('\n')).toContain(line);
  }
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
