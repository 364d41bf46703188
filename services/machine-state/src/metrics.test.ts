import type { Machine } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { parseRack } from '@skolo/rack';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

const since = '2026-11-20T02:00:05.000Z';
const silent = { since, machines: ['pi-1', 'pi-2', 'pi-3'] };
const causes = [
  {
    ...equipmentCause(['switch-1', 'pdu-1']),
    ...silent,
    why: words('none of the machines responds'),
  },
];
const incidents = [
  { id: '20261119T200005-pi-1', since: '2026-11-19T20:00:05.000Z', machines: ['pi-1'] },
  { id: '20261120T020005-pi-2', since, machines: ['pi-2', 'pi-3'] },
];

/** Lines of /metrics that begin so. */
async function metricsWith(machines: Partial<Machine>[], prefix: string): Promise<string[]> {
  const registry = new Registry();
  const yaml = `rack: small
jumphost: { name: jumphost, address: 192.168.1.8 }
machines:
  pi-1: { kind: rpi, address: 192.168.1.101, devices: [{ name: left, kind: android, serial: A1 }, { name: off, kind: none }, { name: right, kind: android, serial: A2 }] }
  pi-2: { kind: rpi, address: 192.168.1.102 }
`;
  const rack = parseRack(yaml, { file: 'rack.yaml' });
  createMetrics(registry, {
    rack: () => rack,
    // A test gives what it is about.
    current: {
      machines: () => machines as Machine[],
      rack: () => ({ services: [], causes, incidents }),
    },
    history: { pending: 0, discarded: 0, isOpen: true },
    losses: { lastWeek: undefined },
    recorder: { omitted: () => new Map(), endedTasks: new Map([['infrastructure', 2]]) },
    reported: { notHeard: 0 },
    enrolment: { waiting: () => [] },
  });
  const text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

it('counts tasks that the infrastructure ended', async () => {
  const name = 'skolo_machines_tasks_ended{';

  expect(await metricsWith([], name)).toEqual([`${name}outcome="infrastructure"} 2`]);
});

it('names the incident of most machines of a common cause, and counts those that have not come back', async () => {
  expect(await metricsWith([], 'skolo_machines_incident{')).toEqual([
    'skolo_machines_incident{cause="pdu-1+switch-1",incident="20261120T020005-pi-2"} 2',
  ]);
});

it('names each device by the number that its agent has for it', async () => {
  const lines = await metricsWith([], 'skolo_machines_device{');

  expect(lines).toEqual([
    'skolo_machines_device{machine="pi-1",device="0",name="left"} 1',
    'skolo_machines_device{machine="pi-1",device="1",name="right"} 1',
  ]);
});

it('counts machines by the version of their agent, and one that reports nonsense as other', async () => {
  const versions = ['1.2.0', '1.2.0', '1.3.0-rc.1', 'x'.repeat(300), '1'.repeat(300)];

  const lines = await metricsWith(
    versions.map((agent) => ({ versions: { agent } })),
    'skolo_machines_agents{',
  );

  expect(lines).toEqual([
    'skolo_machines_agents{version="1.2.0"} 2',
    'skolo_machines_agents{version="1.3.0-rc.1"} 1',
    'skolo_machines_agents{version="other"} 2',
  ]);
});
