import { expect, it } from 'vitest';
import type { RackHealth } from '../survey/rack-health.ts';
import { worsened } from './worsened.ts';

const well: RackHealth = {
  state: 'ok',
  versions: {},
  agents: {},
  down: [],
  alerts: [{ name: 'BotUnhealthy', severity: 'warning', count: 2 }],
  health: { ok: 40 },
  machines: { all: 300, silent: 5, held: 0 },
  tasksEnded: { all: 100, failed: 10 },
};

it.each([
  ['nothing', {}, []],
  ['fewer alerts', { alerts: [] }, []],
  [
    'a new alert',
    { alerts: [{ name: 'TokenLate', severity: 'critical', count: 1 }] },
    ['new alert TokenLate (critical)'],
  ],
  [
    'more of one alert',
    { alerts: [{ name: 'BotUnhealthy', severity: 'warning', count: 3 }] },
    ['new alert BotUnhealthy (warning)'],
  ],
  [
    'a silent service',
    { down: ['router-backup'] },
    ['router-backup no longer responds to Prometheus'],
  ],
  ['a few unhealthy machines', { health: { ok: 37, quarantined: 3 } }, []],
  [
    'many unhealthy machines',
    { health: { ok: 30, quarantined: 10 } },
    ['10 more machines quarantined'],
  ],
  ['a few silent machines', { machines: { all: 300, silent: 35, held: 0 } }, []],
  [
    'many silent machines',
    { machines: { all: 300, silent: 300, held: 0 } },
    ['295 machines fell silent; 300 of 300 are silent'],
  ],
  [
    'machines that Prometheus no longer knows',
    { machines: undefined },
    ['Prometheus no longer has data from 300 machines'],
  ],
  ['failed tasks as before', { tasksEnded: { all: 20, failed: 6 } }, []],
  ['two failed tasks', { tasksEnded: { all: 2, failed: 2 } }, []],
  [
    'many failed tasks',
    { tasksEnded: { all: 10, failed: 4 } },
    ['4 of 10 tasks have failed since the push'],
  ],
])('names %s', (_, change, faults) => {
  const { machines, ...after } = { ...well, ...change };
  expect(worsened(well, { ...after, ...(machines && { machines }) })).toEqual(faults);
});
