import type { Machine, RackView, ServiceState } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { expect, it } from 'vitest';
import { healthFrom } from './from-services.ts';

const time = '2026-11-20T12:00:00.000Z';
const rackFile = { loadedAt: time, warnings: [], problems: [], changes: [] };
const ready = { reachable: true, ready: true, degraded: [], version: '1.2.0' };
const unasked = { reachable: false, ready: false, degraded: [] };

function machine(condition: Machine['condition'], more: Partial<Machine> = {}): Machine {
  return {
    ...{ name: 'rpi-1', kind: 'rpi', condition, sentence: '', pools: [], devices: [], repairs: [] },
    ...{ orders: [], alerts: [], wiring: { power: [] } },
    ...more,
  };
}

function health(services: ServiceState[], machines: Machine[] = []) {
  const view: RackView = {
    ...{ rack: 'rack4', timezone: 'Europe/Berlin', shelves: [], equipment: [], causes: [] },
    incidents: [],
    ...{ alerts: [], services, rackFile },
  };
  return healthFrom(view, machines, Date.parse(time));
}

const own: ServiceState = { name: 'machine-state', state: 'ready', ...ready };

it('right after the start, nothing is down, silent or ok', () => {
  const backup: ServiceState = { name: 'router-backup', state: 'unknown', ...unasked };

  expect(health([own, backup], [machine('never-reported'), machine('ok')])).toMatchObject({
    state: 'unknown',
    down: [],
    serviceStates: { 'router-backup': 'unknown' },
    machines: { all: 2, silent: 0 },
    conditions: { unknown: 1, ok: 1 },
  });
});

it.each<[string, ServiceState]>([
  ['one that was asked to the end', { name: 'router-backup', state: 'unreachable', ...unasked }],
  ['one of an older version', { name: 'router-backup', ...unasked }],
])('a service is down: %s', (_, backup) => {
  expect(health([own, backup])).toMatchObject({ state: 'critical', down: ['router-backup'] });
});

it('a machine that never responded in time is not silent, but needs attention', () => {
  const install = { needsAttention: 'install the agent, or remove the machine from rack.yaml' };

  expect(health([own], [machine('never-reported', install), machine('ok')])).toMatchObject({
    state: 'warning',
    machines: { all: 2, silent: 0 },
    conditions: { 'never-reported': 1, ok: 1 },
  });
});

it.each([
  ['ok', 'ok', {}],
  ['unknown', 'unknown', {}],
  ['unknown', 'warning', { needsAttention: 'flapping' }],
] as const)('one of 300 that is %s makes the rack %s: %j', (condition, state, more) => {
  const others = Array.from({ length: 299 }, () => machine('ok'));

  expect(health([own], [...others, machine(condition, more)])).toMatchObject({
    state,
    machines: { all: 300, silent: 0 },
    seen: { 'rpi-1': true },
  });
});

it('more than a tenth of silent machines are critical, as in the headline', () => {
  const machines = (silent: number) =>
    Array.from({ length: 20 }, (_, at) =>
      machine(at < silent ? 'stale' : 'ok', { cause: equipmentCause(['pdu-1']) }),
    );

  expect(health([own], machines(2)).state).toBe('ok');
  expect(health([own], machines(3)).state).toBe('critical');
});
