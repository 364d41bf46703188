import type { KnownAlert } from '@skolo/api';
import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { sortAlerts } from './alerts.ts';

const rack = parseRack(
  'rack: rack4\njumphost: { name: jump, address: 192.168.1.8 }\nmachines: { rpi-1: { kind: rpi } }\n',
  { file: 'rack.yaml' },
);

function alert(labels: Record<string, string>): KnownAlert {
  return {
    fingerprint: '0123456789abcdef',
    status: 'firing',
    labels,
    annotations: {},
    startsAt: '2026-11-20T07:00:00.000Z',
    first: '2026-11-20T07:00:00.000Z',
    last: '2026-11-20T07:00:00.000Z',
    count: 1,
    endpoint: 'webhook',
  };
}

describe('sortAlerts', () => {
  it.each<[Record<string, string>, string | undefined]>([
    [{ machine: 'rpi-1' }, 'rpi-1'],
    [{ machine: 'rpi-1', rack: 'rack4' }, 'rpi-1'],
    [{ machine: 'rpi-2' }, undefined],
    [{}, undefined],
  ])('assigns %j to the machine %s', (labels, machine) => {
    const { machines, others } = sortAlerts(rack, [alert(labels)]);

    expect([...machines.keys()]).toEqual(machine === undefined ? [] : [machine]);
    expect(others).toHaveLength(machine === undefined ? 1 : 0);
  });

  it.each<Record<string, string>>([
    { machine: 'rpi-1', rack: 'rack40' },
    { machine: 'rpi-9', rack: 'rack' },
    { alertname: 'TargetsDown', rack: 'rack40' },
  ])('leaves out an alert of another rack, with the labels %j', (labels) => {
    const { machines, others } = sortAlerts(rack, [alert(labels)]);

    expect([...machines.keys(), ...others]).toEqual([]);
  });
});
