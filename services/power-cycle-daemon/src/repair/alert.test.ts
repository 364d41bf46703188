import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { machineOf } from './alert.ts';

const rack = parseRack(
  rackYaml(`machines:
  rpi-001: { kind: rpi, address: 127.0.1.1 }
  rpi-002: { kind: rpi }
`),
  { file: 'rack.yaml' },
);

describe('the machine that an alert is about', () => {
  it.each([
    [{ machine: 'rpi-001' }, 'rpi-001'],
    [{ machine: 'rpi-001.lan', instance: 'rpi-002' }, 'rpi-001'],
    [{ machine: '127.0.1.1' }, 'rpi-001'],
    [{ instance: 'rpi-002' }, 'rpi-002'],
    [{ instance: 'rpi-002.lan:9100' }, 'rpi-002'],
    [{ instance: 'https://127.0.1.1:9100/metrics' }, 'rpi-001'],
    [{ instance: '[::ffff:127.0.1.1]:9100' }, 'rpi-001'],
    [{ instance: '[::ffff:127.0.1.1]' }, 'rpi-001'],
    [{ machine: 'rpi-001', rack: 'rack1' }, 'rpi-001'],
    [{ machine: 'rpi-001', rack: '' }, 'rpi-001'],
    [{ machine: 'rpi-001', rack: 'rack10' }, undefined],
    [{ instance: '127.0.1.1:9100', rack: 'berlin' }, undefined],
    [{ machine: 'rpi-003', instance: 'rpi-002' }, undefined],
    [{ machine: '127.0.1.2' }, undefined],
    [{ machine: 'lan' }, undefined],
    [{ instance: '' }, undefined],
    [{}, undefined],
  ])('%j', (labels, name) => {
    expect(machineOf(rack, labels)?.name).toBe(name);
  });
});
