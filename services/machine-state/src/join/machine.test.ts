import type { HealthStatus, MachinePower } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { untilTestEnds } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { machineFrom } from './machine.ts';
import { needsAttentionOf } from './needs-attention.ts';

const at = '2026-11-20T10:00:00Z';
const off = { by: 'ann', at, reason: 'hot' };
const cycle = { id: 'c1', action: 'cycle', step: 'turn-on' } as const;
const rack = parseRack(
  `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
machines:
  pi: { kind: rpi, devices: [{ name: left, kind: android, power: usb/1-1.2 }, { name: right, kind: android }] }
  pc: { kind: host, devices: [{ name: left, kind: android, power: usb/1-1.2 }, { name: right, kind: android }] }
`,
  { file: '/rack.yaml' },
);

function powerOfLeft(machine: string, more: Partial<MachinePower>): MachinePower {
  const name = `${machine}-left`;
  return { name, kind: 'phone', outlets: [], controllers: [], ...more };
}

const isOff: Partial<MachinePower> = {
  outlets: [
    {
      outlet: 'usb/1-1.2',
      controller: 'pi',
      feeds: [],
      state: 'off',
      stuckOff: false,
      switchedOff: off,
    },
  ],
};

it.each<[string, string, Partial<MachinePower>, string]>([
  ['pi', 'right', {}, ''],
  ['pi', 'left', { cycle }, '; the power is being cycled'],
  // A Raspberry Pi switches all its USB ports together.
  ['pi', 'right', { cycle }, '; the power of left, which it shares, is being cycled'],
  ['pi', 'right', isOff, '; the power of left, which it shares, was turned off by ann: hot'],
  ['pc', 'right', isOff, ''],
])('says why a phone of %s has no power: %s, %j', async (name, device, power, more) => {
  const machine = rack.machines.get(name);
  if (!machine) expect.fail('not in rack.yaml');
  const missing = { verdict: 'quarantined', code: 'missing', text: 'missing', since: at } as const;
  const health: HealthStatus = {
    verdict: 'quarantined',
    since: at,
    reasons: [{ ...missing, device }],
  };
  const { status } = untilTestEnds(await startFakeAgent(name, { status: { health } }));

  const { sentence } = machineFrom(
    machine,
    {
      agent: { status, silentSeconds: 0 },
      orders: [],
      unknownOrders: [],
      services: {
        power: {
          machines: new Map([[`${name}-left`, powerOfLeft(name, power)]]),
          controllers: new Map(),
        },
      },
      alerts: [],
      limits: { staleSeconds: 60, goneSeconds: 600 },
    },
    Date.parse(at),
  );

  expect(sentence).toBe(`${device}: missing${more}`);
});

it.each([
  [
    'one of two outlets does not turn on',
    ['pdu-1/3'],
    false,
    'outlet pdu-1/3 does not turn on; check it',
  ],
  [
    'several do not',
    ['pdu-1/3', 'pdu-2/3'],
    false,
    'outlets pdu-1/3, pdu-2/3 do not turn on; check them',
  ],
  ['all turn on', [], false, undefined],
  ['a cause that it shares explains it', ['pdu-1/3'], true, undefined],
])('needs a person if %s', (_, stuck, isShared, needsAttention) => {
  const outlets = ['pdu-1/3', 'pdu-2/3'].map((outlet) => {
    const stuckOff = stuck.includes(outlet);
    const state = stuckOff ? ('off' as const) : ('on' as const);
    return { outlet, controller: '', feeds: ['pi'], state, stuckOff };
  });
  const power = { name: 'pi', kind: 'machine' as const, outlets, controllers: [] };
  const cause = { ...equipmentCause(['pdu-1']), since: at, machines: ['pi'], why: words('') };

  expect(
    needsAttentionOf('pi', 'ok', {
      agent: { silentSeconds: 0 },
      ...{ orders: [], unknownOrders: [], alerts: [], unpowered: new Map() },
      ...(isShared && { cause }),
      services: { power: { machines: new Map([['pi', power]]), controllers: new Map() } },
      limits: { staleSeconds: 60, goneSeconds: 600 },
    }),
  ).toBe(needsAttention);
});

it('shows the jobs that schedulers have announced', () => {
  const machine = rack.machines.get('pi');
  if (!machine) expect.fail('not in rack.yaml');
  const job = {
    id: 'j1',
    by: 'ci',
    since: at,
    until: at,
    reason: 'nightly',
    overdue: true,
  } as const;
  const own: MachinePower = {
    name: 'pi',
    kind: 'machine',
    outlets: [],
    controllers: [],
    busy: [job],
  };

  const { power } = machineFrom(
    machine,
    {
      agent: { silentSeconds: 0 },
      orders: [],
      unknownOrders: [],
      services: { power: { machines: new Map([['pi', own]]), controllers: new Map() } },
      alerts: [],
      limits: { staleSeconds: 60, goneSeconds: 600 },
    },
    Date.parse(at),
  );

  expect(power).toEqual({ outlets: [], busy: [job] });
});
