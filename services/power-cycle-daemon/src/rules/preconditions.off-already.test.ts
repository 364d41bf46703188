/** What is off already, and what a controller is reached through: both decide who goes dark. */
import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { findTarget, type Target } from '../request/targets.ts';
import type { PendingOn, SwitchedOff } from '../state/records.ts';
import { rackYaml } from '../testing/daemon.ts';
import { type Ask, checkRequest, type Snapshot } from './preconditions.ts';

const rack = parseRack(
  rackYaml(`
infrastructure:
  pdu-1: { model: apc-rpdu, address: 127.0.2.1 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-3: { model: apc-rpdu, address: 127.0.2.3, ports: { snmp: 1161 } }
  plug-1: { model: mqtt-switch, address: 127.0.1.1, port: 1883, topic: plug-1, outlets: 4 }
machines:
  broker: { kind: host, address: 127.0.1.1, ports: { ssh: 22 }, power: plug-1/1 }
  other: { kind: host, power: plug-1/2 }
  c: { kind: host, power: [pdu-1/2, pdu-2/2] }
  forwarded: { kind: host, address: 127.0.2.3, port: 2022, power: pdu-3/3 }
`),
  { file: '/rack.yaml' },
);
const at = '2026-11-20T12:00:00.000Z';
const first = { controller: 'pdu-1', outlet: '2' };
const wish: SwitchedOff = { ...first, by: 'ann', at, reason: 'smoke' };
const debt: PendingOn = { ...first, since: at, cycle: 'x' };

function verdict(name: string, ask: Partial<Ask>, more: Partial<Snapshot> = {}) {
  const target = findTarget(rack, name) as Target;
  return checkRequest(
    target,
    { action: 'cycle', mode: 'hard', force: false, ...ask },
    {
      rack,
      now: Date.parse(at),
      uptime: 100_000,
      holds: [],
      switchedOff: new Map(),
      pendingOns: new Map(),
      failing: new Map(),
      active: [],
      past: [],
      cyclesNatively: () => false,
      ...more,
    },
  );
}

describe('the last feed of a machine', () => {
  it.each([
    ['a person turned off', { switchedOff: new Map([['pdu-1/2', wish]]) }],
    ['is stuck off', { pendingOns: new Map([['pdu-1/2', debt]]) }],
  ])('is not cut unless that is wanted, where the other one %s', (_why, snapshot) => {
    const refusal = { code: 'others-go-dark', dark: ['c'] };

    expect(verdict('pdu-2/2', {}, snapshot)).toMatchObject({ refusal });
    expect(verdict('pdu-2/2', { action: 'off' }, snapshot)).toMatchObject({ refusal });
    expect(verdict('pdu-2/2', {})).toMatchObject({ is: 'allowed' });
  });

  it('that is dark already keeps nothing else from being cut', () => {
    const snapshot = {
      switchedOff: new Map([['pdu-1/2', wish]]),
      pendingOns: new Map([['pdu-2/2', debt]]),
    };

    expect(verdict('pdu-1/5', {}, snapshot)).toMatchObject({ is: 'allowed' });
  });
});

describe('a switch behind a broker', () => {
  it.each([true, false])('does not cut the broker’s own machine (force: %s)', (force) => {
    const why =
      'broker: plug-1, which switches it, is spoken to through broker; nothing could turn it on again, since its outlet cannot cycle by itself';

    expect(verdict('broker', { force })).toMatchObject({
      refusal: { code: 'protected', detail: why },
    });
  });

  it('cuts others', () => {
    expect(verdict('other', {})).toMatchObject({ is: 'allowed' });
  });
});

it('a PDU and a machine may have one address, and ports of it: they are forwarded, or all on one computer', () => {
  expect(verdict('forwarded', {})).toMatchObject({ is: 'allowed' });
});
