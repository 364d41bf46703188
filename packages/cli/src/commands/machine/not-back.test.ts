import type { IncidentReport, Machine, RackView } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { untilTestEnds } from '@skolo/base/testing';
import { HttpProblem } from '@skolo/common/light';
import { startScripted } from '@skolo/scripted-services/service';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const since = '2026-11-20T03:26:05.000Z';
const silent = (name: string) => ({ name, at: since, lost: ['t-1'] });
const away = (name: string, shelf: string, place: number, text: string) => ({
  ...{ name, shelf, place, todo: words('check its cables') },
  evidence: [{ kind: 'no-link' as const, text: words(text) }],
});
const report: IncidentReport = {
  ...{ id: '20261120T032605-rpi-1', title: words('switch-1, 4 machines'), since },
  began: ['rpi-1'],
  machines: [
    { name: 'rpi-1', at: since, answeredAt: '2026-11-20T03:29:00.000Z', lost: [] },
    silent('rpi-3'),
    silent('rpi-2'),
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
  away: [
    away('rpi-3', 'top', 1, 'port switch-1/3 has no link'),
    away('rpi-2', 'bottom', 2, 'outlet pdu-1/2 is off: turned off by ann: \u001b[2J'),
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
    { name: 'bottom', machines: ['rpi-1', 'rpi-7', 'rpi-2'] },
  ],
  rackFile: { loadedAt: since, warnings: [], problems: [], changes: [] },
};

const skolo = (...args: string[]) => skoloWith(report, ...args);

async function skoloWith(answer: IncidentReport | HttpProblem, ...args: string[]) {
  const service = untilTestEnds(
    await startScripted('machine-state', {
      incident: () => answer,
      rack: () => view,
      machines: () => ({ machines: ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-7'].map(machine) }),
    }),
  );
  return await runCommand([...args, '--url', service.url], { columns: 80, rows: 24 });
}

function machine(name: string): Machine {
  const needsPerson = name === 'rpi-7';
  return {
    ...{ name, kind: 'rpi', pools: [], devices: [], repairs: [], orders: [], alerts: [], since },
    ...{ condition: needsPerson ? 'quarantined' : 'ok', sentence: '', wiring: { power: [] } },
    ...(needsPerson && { needsAttention: 'replace its battery' }),
  };
}

it('lists who has not come back in walking order, with the reason', async () => {
  const { out, exitCode } = await skolo('machine', 'list', '--not-back');

  expect(out).toMatch(
    /^1 of 4 came back, 2 did not: rpi-3, rpi-2; 1 left rack.yaml: rpi-9; 2 tasks\n {2}lost,/,
  );
  expect(out.slice(out.indexOf('\n\n'))).toBe(`

top
[ ] rpi-3, place 1: port switch-1/3 has no link; check its cables

bottom
[ ] rpi-2, place 2: outlet pdu-1/2 is off: turned off by ann: ; check its cables
`);
  expect(exitCode).toBe(0);
});

it.each([
  ['no machine is silent', [], 'no machine is silent; 1 of 1 came back, ', 0],
  [
    'no machine is silent, while a service does not respond that knows none',
    [{ source: 'router-backup', why: 'timeout' }],
    'no machine is silent; 1 of 1 came back, ',
    0,
  ],
  [
    'the history is damaged',
    [{ source: 'history', why: 'it is damaged' }],
    '1 of 1 came back, ',
    3,
  ],
])('says so if %s', async (_, missing, text, code) => {
  const calm = { ...report, machines: report.machines.slice(0, 1), away: [], missing };
  const { out, exitCode } = await skoloWith(calm, 'machine', 'list', '--not-back');

  expect(out.startsWith(text)).toBe(true);
  expect(out.includes('history: unknown: it is damaged')).toBe(code > 0);
  expect(out).not.toContain('router-backup');
  expect(exitCode).toBe(code);
});

it('does not say that no machine is silent if one is in maintenance', async () => {
  const left = { at: since, as: 'planned' as const };
  const machines = [{ name: 'rpi-1', at: since, left, lost: [] }];
  const planned = { ...report, machines, away: [], missing: [] };
  const { out, exitCode } = await skoloWith(planned, 'machine', 'list', '--not-back');

  expect(out).toMatch(/^0 of 1 came back; 1 in maintenance: rpi-1, /);
  expect(exitCode).toBe(0);
});

it.each([[[]], [['--json']]])(
  'fails partly if the list of work is incomplete (%j)',
  async (more) => {
    const missing = [{ source: 'history', why: 'it is damaged' }];
    const damaged = { ...report, missing };
    const args = ['machine', 'list', '--needs-attention', ...more];
    const { out, exitCode } = await skoloWith(damaged, ...args);

    expect(exitCode).toBe(3);
    if (more.length > 0) expect(JSON.parse(out)).toMatchObject({ missing });
  },
);

it('lists the same machines as work, with those that need a person without an incident', async () => {
  const { out, exitCode } = await skolo('machine', 'list', '--needs-attention');

  expect(out).toContain('[ ] rpi-3, place 1: port switch-1/3 has no link; check its cables');
  expect(out).toContain('[ ] rpi-2, place 2: outlet pdu-1/2 is off');
  expect(out).toMatch(/\[ \] rpi-7: quarantined.*\n {4}replace its battery/);
  expect(exitCode).toBe(0);
  const order = [...out.matchAll(/^(?:top|bottom|\[ \] [^,:]+)/gm)].map(([line]) => line);
  expect(order).toEqual(['top', '[ ] rpi-3', 'bottom', '[ ] rpi-7', '[ ] rpi-2']);
});

it.each([
  [
    'the history is damaged',
    { missing: [{ source: 'history', why: 'it is damaged' }] },
    'history: unknown: it is damaged',
  ],
  ['everybody is back', { away: [], machines: report.machines.slice(0, 1) }, ''],
])('prints the same machines in skolo status if %s', async (_, more, text) => {
  const answer = { ...report, ...more };
  const { out } = await skoloWith(answer, 'status');

  const lines = answer.away.length > 0 ? ['2 have not come back: top: rpi-3; bottom: rpi-2'] : [];
  expect(out.match(/\d+ (?:has|have) not come back: .*/g) ?? []).toEqual(lines);
  expect(out).toMatch(/needs attention: bottom: rpi-7/);
  expect(out).toContain(text);
});

it('prints the state of a rack whose machine-state is too old to know incidents', async () => {
  const { out } = await skoloWith(new HttpProblem(404, 'no such path'), 'status');

  expect(out).toMatch(/machines that have not come back: unknown: .*no such path/);
  expect(out).toMatch(/needs attention: bottom: rpi-7/);
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
    'rpi-3  top, place 1: port switch-1/3 has no link; check its cables',
    'Only those that did not return',
  ]) {
    expect(out.split('\n')).toContain(line);
  }
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
