import type { Hold } from '@skolo/api';
import { type Outlet, parseRack, type Rack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import type { PendingOn, SwitchedOff } from '../state/records.ts';
import { rackYaml } from '../testing/daemon.ts';
import { cycleRecord } from '../testing/records.ts';
import { type PastCycle, waitFor } from './past-cycles.ts';
import { type Ask, checkRequest, type Snapshot, type Verdict } from './preconditions.ts';
import { defaultOffSeconds, findTarget, type Target } from './targets.ts';

/** The PDU that feeds switch-1 is reached through it; the jumphost hangs on both. pdu-2 is at the far end. */
const rack = parseRack(
  `rack: rack1
timezone: Europe/Berlin
network: { subnet: 192.168.1.0/24, domain: lan }
jumphost: { name: jumphost-rack1, address: 192.168.1.8, uplink: switch-1/48, power: pdu-1/8 }
equipment:
  router: { model: edgeos, address: 192.168.1.1, uplink: internet, power: pdu-1/1 }
  switch-1: { model: edgeswitch, address: 192.168.1.11, uplink: router, power: pdu-1/2 }
  switch-2: { model: edgeswitch, address: 192.168.1.12, uplink: switch-1/47, power: pdu-2/2 }
  switch-3: { model: edgeswitch, address: 192.168.1.13, uplink: switch-1/46, power: [pdu-2/3, pdu-2/4] }
  switch-4: { model: edgeswitch, address: 192.168.1.14, uplink: switch-1/45, power: pdu-3/1 }
  pdu-1: { model: synaccess, address: 192.168.1.30, uplink: switch-1/44 }
  pdu-2: { model: apc-rpdu, address: 192.168.1.31, uplink: switch-1/43 }
  pdu-3: { model: apc-rpdu, address: 192.168.1.32, uplink: switch-4/47 }
machines:
  a: { kind: rpi, address: 192.168.1.101, power: switch-2/1, uplink: switch-2/1, device: { kind: android, power: usb/1-1.2 } }
  b: { kind: rpi, address: 192.168.1.102, power: switch-2/2, uplink: switch-2/2, device: { kind: android, power: pdu-2/8 } }
  two: { kind: host, power: [pdu-2/5, pdu-2/6], offSeconds: 20 }
  left: { kind: host, power: pdu-2/7 }
  bare: { kind: host, address: 192.168.1.103 }
  nowhere: { kind: host }
services:
  power-cycle-daemon: { cooldownSeconds: 300, maxPerHour: 3 }
`,
  { file: '/rack.yaml' },
);

/** The Raspberry Pi cuts the power of both phones with that of one. */
const twoPhones = parseRack(
  `${rackYaml('')}machines:
  pi: { kind: rpi, address: 127.0.1.1, devices: [{ name: left, kind: android, power: usb/1-1.2 }, { name: right, kind: android }] }
`,
  { file: '/rack.yaml' },
);

const now = Date.parse('2026-11-20T12:00:00Z');

function target(name: string, within: Rack = rack): Target {
  const found = findTarget(within, name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

function verdict(name: string, ask: Partial<Ask> = {}, own: Partial<Snapshot> = {}): Verdict {
  const snapshot: Snapshot = {
    rack,
    now,
    uptime: 10_000,
    holds: [],
    switchedOff: new Map(),
    pendingOns: new Map(),
    descriptions: new Map(),
    failing: new Map(),
    active: [],
    past: [],
    cyclesNatively: ({ device }: Outlet) => device === 'pdu-1' || device.startsWith('switch'),
    ...own,
  };
  return checkRequest(
    target(name, snapshot.rack),
    { action: 'cycle', mode: 'auto', force: false, ...ask },
    snapshot,
  );
}

function rejection(name: string, ask: Partial<Ask> = {}, own: Partial<Snapshot> = {}) {
  const given = verdict(name, ask, own);
  return given.is === 'rejected' ? given.rejection : given;
}

const allowed = { is: 'allowed', nativeOnly: false };
const off: Partial<Ask> = { action: 'off', mode: 'hard' };
const on: Partial<Ask> = { action: 'on', mode: 'hard' };

function hold(name: string, own: Partial<Hold> = {}): Hold {
  return {
    id: 'hold-1',
    kind: 'out-of-service',
    target: name,
    by: 'ann',
    since: '2026-11-20T11:00:00.000Z',
    until: '2026-11-20T14:00:00.000Z',
    reason: 'new fan',
    ...own,
  };
}

function offByAnn(controller: string, outlet: string): SwitchedOff {
  return { controller, outlet, by: 'ann', at: '2026-11-20T11:00:00.000Z', reason: 'smoke' };
}

function pendingOn(controller: string, outlet: string): PendingOn {
  return { controller, outlet, since: '2026-11-20T11:00:00.000Z', cycle: 'cycle-7' };
}

describe('a request', () => {
  it.each<[string, string, Partial<Ask>]>([
    ['a machine on an outlet of its own, with its phone', 'a', {}],
    ['an off of it', 'a', off],
    ['an on of it', 'a', on],
    ['a machine with two feeds', 'two', {}],
    ['a phone on an outlet of its own', 'a-device', {}],
    ['a machine without an outlet that can be asked itself', 'bare', {}],
    ['a soft reboot of that', 'bare', { mode: 'soft' }],
    ['an on of what the daemon depends on', 'router', on],
    ['an on of what feeds others', 'switch-2', on],
    ['one of two feeds, while the other one is on', 'pdu-2/5', {}],
    ['one of two feeds of a switch', 'pdu-2/3', {}],
    ['a switch that feeds nobody', 'switch-3', { mode: 'hard' }],
  ])('is allowed for %s', (_, name, ask) => {
    expect(verdict(name, ask)).toEqual(allowed);
  });

  it('is rejected where rack.yaml does not say what feeds it', () => {
    const detail = 'rack.yaml does not specify its outlet; add `power:` to its entry';
    expect(rejection('nowhere')).toEqual({
      target: 'nowhere',
      code: 'no-outlet',
      detail: `nowhere: ${detail}`,
    });
    expect(rejection('bare', { mode: 'hard' })).toMatchObject({ code: 'no-outlet' });
    expect(rejection('bare', off)).toMatchObject({ code: 'no-outlet' });
    expect(rejection('pdu-1')).toMatchObject({ code: 'no-outlet' });
  });

  it('for a soft reboot is rejected where the machine has no address', () => {
    expect(rejection('two', { mode: 'soft' })).toEqual({
      target: 'two',
      code: 'not-reachable',
      detail:
        "two: rack.yaml does not specify the machine's address, so a soft reboot cannot be requested",
    });
    for (const name of ['a-device', 'switch-2', 'pdu-2/20']) {
      expect(rejection(name, { mode: 'soft' })).toEqual({
        target: name,
        code: 'not-possible',
        detail: `${name}: only a machine can reboot itself; use mode auto`,
      });
    }
  });
});

describe('what the daemon depends on', () => {
  it.each([
    ['router', 'jumphost-rack1, where this daemon runs, depends on pdu-1/1', true],
    ['switch-1', 'jumphost-rack1, where this daemon runs, depends on pdu-1/2', true],
    ['pdu-1/8', 'jumphost-rack1, where this daemon runs, depends on pdu-1/8', true],
    ['switch-4', 'pdu-3, which switches the outlet, would lose power or network as well', false],
  ] as const)('is not cut: %s', (name, why, canCycleByItself) => {
    const plain = rejection(name);
    const forced = verdict(name, { force: true, mode: 'hard' });

    const way = canCycleByItself
      ? 'the outlet can cycle on its own, so use force if that is intended'
      : 'nothing could turn the power on again, because the outlet cannot cycle on its own';
    expect(plain).toMatchObject({ code: 'protected', detail: `${name}: ${why}; ${way}` });
    if (canCycleByItself) expect(forced).toEqual({ is: 'allowed', nativeOnly: true });
    else expect(forced).toMatchObject({ rejection: { code: 'protected' } });
  });

  it('is never turned off, forced or not', () => {
    for (const force of [false, true]) {
      expect(rejection('switch-1', { ...off, force })).toEqual({
        target: 'switch-1',
        code: 'protected',
        detail:
          'switch-1: jumphost-rack1, where this daemon runs, depends on pdu-1/2; the outlet cannot be turned off from here',
      });
    }
  });

  it('names who else goes dark, where force would help', () => {
    const { dark } = { dark: undefined, ...rejection('router') };

    expect(dark).toContain('jumphost-rack1');
    expect(dark).toContain('a-device');
    expect(dark).not.toContain('router');
  });

  it('is not forced through an outlet that cannot cycle for so long', () => {
    const given = rejection(
      'router',
      { force: true, offSeconds: 3600 },
      { cyclesNatively: (_outlet, seconds) => seconds === undefined || seconds < 60 },
    );

    expect(given).toMatchObject({ code: 'protected' });
  });

  it('is not forced through several feeds: each alone would do nothing', () => {
    const wired = parseRack(
      `rack: rack1
timezone: UTC
network: { subnet: 192.168.1.0/24, domain: lan }
jumphost: { name: jumphost-rack1, address: 192.168.1.8, uplink: switch-1/48 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, power: [pdu-1/1, pdu-1/2] }
  pdu-1: { model: synaccess, address: 192.168.1.30 }
`,
      { file: '/rack.yaml' },
    );
    const own = { rack: wired, cyclesNatively: () => true };
    const given = verdict('switch-1', { mode: 'hard', force: true }, own);

    expect(given).toMatchObject({ rejection: { code: 'protected' } });
  });
});

describe('others', () => {
  it('do not go dark unless that is wanted, and are named', () => {
    expect(rejection('switch-2')).toEqual({
      target: 'switch-2',
      code: 'others-go-dark',
      detail: 'switch-2: 4 others would lose power or network; use force if that is intended',
      dark: ['a', 'a-device', 'b', 'b-device'],
    });
    expect(verdict('switch-2', { force: true })).toEqual(allowed);
    expect(rejection('switch-2', off)).toMatchObject({
      code: 'others-go-dark',
    });
  });
});

describe('a phone without `power` beside one that has it', () => {
  it.each<[string, Partial<Ask>]>([
    ['a cycle', {}],
    ['an off', { action: 'off', mode: 'hard' }],
  ])('is named when a person requests %s of the other one', (_, ask) => {
    expect(rejection('pi-left', { person: 'ann', ...ask }, { rack: twoPhones })).toMatchObject({
      code: 'others-go-dark',
      dark: ['pi-right'],
      detail:
        'pi-left: pi-right would lose power, too, because a Raspberry Pi switches all its USB ports together; use force if that is intended',
    });
  });

  it.each<[string, string, Partial<Ask>]>([
    ['a person who forces it', 'pi-left', { person: 'ann', force: true }],
    ['a person who tests its port', 'pi-left', { person: 'ann', alone: true }],
    ['a repair', 'pi-left', {}],
    ['a person who turns it on', 'pi-left', { person: 'ann', action: 'on' }],
  ])('does not stop %s', (_, name, ask) => {
    expect(verdict(name, ask, { rack: twoPhones }).is).toBe('allowed');
  });
});

describe('a hold', () => {
  it.each([
    ['a', 'a', ''],
    ['a-device', 'a', 'a was '],
    ['a-device', 'a-device', ''],
    ['a', 'switch-2', 'switch-2 was '],
    ['a-device', 'switch-2', 'switch-2 was '],
    ['two', 'pdu-2', 'pdu-2 was '],
    ['a', 'rack1', 'rack1 was '],
    ['switch-2', 'switch-1', 'switch-1 was '],
    ['pdu-2/20', 'pdu-2', 'pdu-2 was '],
  ])('keeps %s from being cycled: that of %s', (name, held, whose) => {
    expect(rejection(name, { force: true }, { holds: [hold(held)] })).toEqual({
      target: name,
      code: 'held',
      detail: `${name}: ${whose}put on hold by ann until 2026-11-20T14:00:00.000Z: new fan`,
      until: '2026-11-20T14:00:00.000Z',
    });
  });

  it.each([
    ['does not stop the person who set it', 'ann', [hold('a')], true],
    ['stops another person', 'bob', [hold('a')], false],
    ['stops what is requested automatically', undefined, [hold('a')], false],
    [
      'of another person stops one with an own hold',
      'ann',
      [hold('a'), hold('a', { by: 'bob' })],
      false,
    ],
  ])('%s', (_what, person, holds, isAllowed) => {
    expect(verdict('a', { person }, { holds }).is).toBe(isAllowed ? 'allowed' : 'rejected');
  });

  it('is no hindrance to other targets', () => {
    expect(verdict('a', {}, { holds: [hold('b'), hold('pdu-2'), hold('a-device')] })).toEqual(
      allowed,
    );
  });

  it('does not prevent the repairing operator from turning it on and off', () => {
    const holds = [hold('a')];
    expect(verdict('a', off, { holds })).toEqual(allowed);
    expect(verdict('a', on, { holds })).toEqual(allowed);
  });
});

describe('what a person turned off', () => {
  it('is turned on and not cycled', () => {
    const switchedOff = new Map([['pdu-2/6', offByAnn('pdu-2', '6')]]);

    expect(rejection('two', { force: true }, { switchedOff })).toEqual({
      target: 'two',
      code: 'switched-off',
      detail:
        'two: pdu-2/6 was turned off by ann at 2026-11-20T11:00:00.000Z: smoke; turn it on instead',
    });
    expect(verdict('two', on, { switchedOff })).toEqual(allowed);
    expect(verdict('two', off, { switchedOff })).toEqual(allowed);
  });
});

describe('what is still pending', () => {
  it('is turned on and not cycled again', () => {
    const pendingOns = new Map([['pdu-2/5', pendingOn('pdu-2', '5')]]);

    expect(rejection('two', { force: true }, { pendingOns })).toEqual({
      target: 'two',
      code: 'under-way',
      detail:
        'two: pdu-2/5 was turned off by cycle cycle-7 and is still being turned on; turn it on to retry immediately',
    });
    expect(verdict('two', on, { pendingOns })).toEqual(allowed);
    expect(verdict('two', off, { pendingOns })).toEqual(allowed);
    expect(verdict('a', {}, { pendingOns })).toEqual(allowed);
  });
});

describe('one at a time', () => {
  const a = cycleRecord({ target: 'a', feeds: [{ controller: 'switch-2', outlet: '1' }] });

  it('joins what is under way already', () => {
    expect(verdict('a', {}, { active: [a] })).toEqual({ is: 'joined', cycle: a });
    const held = { active: [a], holds: [hold('a')] };
    expect(verdict('a', { mode: 'hard', force: true }, held)).toEqual({ is: 'joined', cycle: a });
  });

  it('does not join what is something else', () => {
    const turnedOff = { ...a, action: 'off' as const };

    expect(rejection('a', off, { active: [a] })).toEqual({
      target: 'a',
      code: 'under-way',
      detail: 'a: a cycle is under way (cycle-1); wait for it or cancel it',
    });
    expect(rejection('a', {}, { active: [turnedOff] })).toMatchObject({
      detail: 'a: it is being turned off (cycle-1); wait until this has finished',
    });
  });

  it.each([
    ['a phone while its machine', 'a-device', a],
    ['a machine while its switch', 'a', cycleRecord({ target: 'switch-2' })],
    ['a switch while a machine on it', 'switch-2', a],
    [
      'a machine while its phone on its own hub',
      'a',
      cycleRecord({ target: 'a-device', feeds: [{ controller: 'a', outlet: 'usb/1-1.2' }] }),
    ],
    [
      'a machine while its phone on a PDU',
      'b',
      cycleRecord({ target: 'b-device', feeds: [{ controller: 'pdu-2', outlet: '8' }] }),
    ],
    [
      'a machine while a single feed of it',
      'two',
      cycleRecord({ target: 'pdu-2/5', feeds: [{ controller: 'pdu-2', outlet: '5' }] }),
    ],
  ] as const)('does not touch %s is touched', (_name, asked, other) => {
    const { target: busy } = other;

    expect(rejection(asked, { force: true }, { active: [other] })).toEqual({
      target: asked,
      code: 'under-way',
      detail: `${asked}: a cycle of ${busy} (cycle-1) is under way in rack1; try again when this has finished`,
    });
  });

  it('does not wait for unrelated cycles', () => {
    expect(verdict('b', {}, { active: [a] })).toEqual(allowed);
  });
});

describe('limits', () => {
  const uptime = 10_000;
  const ended = (ago: number, name = 'a'): PastCycle => ({
    target: name,
    outlets: [],
    begunAt: uptime - ago - 30,
    endedAt: uptime - ago,
  });

  it('leave a machine alone for a while', () => {
    expect(rejection('a', { force: true }, { past: [ended(60)] })).toEqual({
      target: 'a',
      code: 'cooling-down',
      detail:
        'a: the last power cut or reboot of this target ended less than 300 s ago; try again in 240 s, or use --ignore-limits as an operator',
      until: '2026-11-20T12:04:00.000Z',
    });
    expect(verdict('a', {}, { past: [ended(300)] })).toEqual(allowed);
    expect(verdict('b', {}, { past: [ended(60)] })).toEqual(allowed);
  });

  it('allow so many in an hour', () => {
    const past = [ended(3000), ended(2000), ended(400)];

    expect(rejection('a', {}, { past })).toEqual({
      target: 'a',
      code: 'too-often',
      detail:
        'a: the power was cut 3 times within an hour; try again in 570 s, or use --ignore-limits as an operator',
      until: '2026-11-20T12:09:30.000Z',
    });
    expect(verdict('a', {}, { past: [ended(3570), ended(2000), ended(400)] })).toEqual(allowed);
  });

  it('give the longer of two waits', () => {
    const past = [ended(3500), ended(2000), ended(10)];

    expect(rejection('a', {}, { past })).toMatchObject({ code: 'cooling-down' });
  });

  it('do not depend on the wall clock', () => {
    for (const time of ['1970-01-01T00:00:00Z', '2036-01-01T00:00:00Z']) {
      const given = rejection('a', {}, { past: [ended(60)], now: Date.parse(time) });

      const until = new Date(Date.parse(time) + 240_000).toISOString();
      expect(given).toMatchObject({ code: 'cooling-down', until });
    }
  });

  it('count what was begun before this boot', () => {
    const past = [{ target: 'a', outlets: [], begunAt: -90, endedAt: -60 }];
    const rejected = { code: 'cooling-down', until: '2026-11-20T12:03:00.000Z' };

    expect(rejection('a', {}, { uptime: 60, past })).toMatchObject(rejected);
  });

  it('are for whatever cuts power, and not for what gives it', () => {
    const past = [ended(1)];

    expect(rejection('a', off, { past })).toMatchObject({
      code: 'cooling-down',
    });
    expect(verdict('a', on, { past })).toEqual(allowed);
  });

  it('are not for an off of what is off: no relay moves', () => {
    const switchedOff = new Map([['switch-2/1', offByAnn('switch-2', '1')]]);

    expect(verdict('a', off, { past: [ended(1)], switchedOff })).toEqual(allowed);
  });

  it('can be ignored by an operator on request, and not by force alone', () => {
    const past = [ended(1)];

    expect(verdict('a', { ignoreLimits: true }, { past })).toEqual(allowed);
    expect(verdict('a', { action: 'off', ignoreLimits: true }, { past })).toEqual(allowed);
    expect(rejection('a', { force: true }, { past })).toMatchObject({ code: 'cooling-down' });
  });

  it('count for the relay, under whatever name it was moved', () => {
    const past = [{ ...ended(60, 'two'), outlets: ['pdu-2/5', 'pdu-2/6'] }];

    expect(rejection('pdu-2/5', { force: true }, { past })).toMatchObject({ code: 'cooling-down' });
    expect(verdict('pdu-2/9', { force: true }, { past })).toEqual(allowed);
  });

  it('per hour are for power cuts, and the cooldown is for soft reboots, too', () => {
    const cuts = [ended(3000), ended(2000), ended(400)];
    const reboots = cuts.map((each) => ({ ...each, softOnly: true }));
    const soft = { mode: 'soft' as const };

    for (const mode of ['auto', 'hard'] as const) {
      expect(verdict('a', { mode }, { past: reboots })).toEqual(allowed);
      expect(rejection('a', { mode }, { past: cuts })).toMatchObject({ code: 'too-often' });
    }
    expect(verdict('a', soft, { past: [...cuts, ...reboots] })).toEqual(allowed);
    for (const past of [[ended(60)], [{ ...ended(60), softOnly: true }]]) {
      expect(rejection('a', soft, { past })).toMatchObject({ code: 'cooling-down' });
    }
  });

  it('do not count one that is under way as ended', () => {
    const past = [{ target: 'a', outlets: [], begunAt: uptime - 5 }];

    expect(waitFor(target('a'), { rack, uptime, past }).wait).toBeLessThanOrEqual(0);
  });
});

describe('how long off', () => {
  it.each([
    ['a', 5],
    ['two', 20],
    ['left', 10],
    ['a-device', 5],
    ['b-device', 10],
    ['router', 10],
    ['switch-2/9', 5],
    ['pdu-2/20', 10],
    ['bare', 0],
  ])('is, for %s, %s s unless somebody says', (name, seconds) => {
    expect(defaultOffSeconds(rack, target(name))).toBe(seconds);
  });
});

/** What is off already, and what a controller is reached through: both decide who goes dark. */
const reached = parseRack(
  rackYaml(`
equipment:
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
const pendingFirst = pendingOn('pdu-1', '2');

function offAlready(name: string, ask: Partial<Ask>, own: Partial<Snapshot> = {}) {
  const snapshot = { rack: reached, cyclesNatively: () => false, ...own };
  return verdict(name, { mode: 'hard', ...ask }, snapshot);
}

describe('the last feed of a machine', () => {
  it.each([
    ['a person turned off', { switchedOff: new Map([['pdu-1/2', offByAnn('pdu-1', '2')]]) }],
    ['is stuck off', { pendingOns: new Map([['pdu-1/2', pendingFirst]]) }],
  ])('is not cut unless that is wanted, where the other one %s', (_why, snapshot) => {
    const rejection = { code: 'others-go-dark', dark: ['c'] };

    expect(offAlready('pdu-2/2', {}, snapshot)).toMatchObject({ rejection });
    expect(offAlready('pdu-2/2', { action: 'off' }, snapshot)).toMatchObject({ rejection });
    expect(offAlready('pdu-2/2', {})).toMatchObject({ is: 'allowed' });
  });

  it('that is dark already keeps nothing else from being cut', () => {
    const snapshot = {
      switchedOff: new Map([['pdu-1/2', offByAnn('pdu-1', '2')]]),
      pendingOns: new Map([['pdu-2/2', pendingFirst]]),
    };

    expect(offAlready('pdu-1/5', {}, snapshot)).toMatchObject({ is: 'allowed' });
  });
});

describe('a switch behind a broker', () => {
  it.each([true, false])('does not cut the broker’s own machine (force: %s)', (force) => {
    const why =
      'broker: plug-1, which switches the outlet, is reached through broker; nothing could turn the power on again, because the outlet cannot cycle on its own';

    expect(offAlready('broker', { force })).toMatchObject({
      rejection: { code: 'protected', detail: why },
    });
  });

  it('cuts others', () => {
    expect(offAlready('other', {})).toMatchObject({ is: 'allowed' });
  });
});

it('a PDU and a machine may have one address, and ports of it: they are forwarded, or all on one computer', () => {
  expect(offAlready('forwarded', {})).toMatchObject({ is: 'allowed' });
});
