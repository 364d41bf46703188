import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseRack } from '../read/load.ts';
import { feedOf, formatOutlet, type Outlet } from '../schema/outlets.ts';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { exampleRack, smallRack } from '../testing/example.ts';
import type { Rack } from './rack.ts';
import { dependsOn, goesDark } from './wiring.ts';

const rack = exampleRack();
const shelf1 = Array.from(
  { length: 40 },
  (_, i) => `skia-rpi2-rack4-shelf1-${String(i + 1).padStart(3, '0')}`,
);

describe('dependsOn', () => {
  it('says what the jumphost itself hangs on', () => {
    expect(dependsOn(rack, 'jumphost-rack4')).toEqual([
      'pdu-1/8',
      'pdu-1',
      'switch-1/48',
      'switch-1',
      'pdu-1/2',
      'router/eth1',
      'router',
      'pdu-1/1',
    ]);
  });

  it('follows a phone to its port, its machine, and on', () => {
    expect(dependsOn(rack, 'skia-rpi2-rack4-shelf2-002-left')).toEqual([
      'skia-rpi2-rack4-shelf2-002/usb/1-1.3.1',
      'skia-rpi2-rack4-shelf2-002',
      'switch-2/2',
      'switch-2',
      'pdu-1/3',
      'pdu-1',
      'router/eth2',
      'router',
      'pdu-1/1',
    ]);
  });

  it('for power only, follows feeds and no uplinks', () => {
    expect(dependsOn(rack, 'skia-rpi2-rack4-shelf2-002-left', ['power'])).toEqual([
      'skia-rpi2-rack4-shelf2-002/usb/1-1.3.1',
      'skia-rpi2-rack4-shelf2-002',
      'switch-2/2',
      'switch-2',
      'pdu-1/3',
      'pdu-1',
    ]);
  });

  it('does not ask for the network of what only feeds', () => {
    const rack = smallRack(`equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11 }
  pdu-1: { model: synaccess, address: 192.168.1.12, uplink: switch-1/1 }
machines:
  a: { kind: host, power: pdu-1/1 }
`);

    expect(dependsOn(rack, 'a')).toEqual(['pdu-1/1', 'pdu-1']);
    expect(dependsOn(rack, 'pdu-1')).toEqual(['switch-1/1', 'switch-1']);
  });

  it('rejects a name that is not there', () => {
    expect(() => dependsOn(rack, 'nobody')).toThrow(new RangeError('nobody is not in rack4'));
  });
});

describe('goesDark', () => {
  it.each<[string, string, string[]]>([
    ['switch-1', '7', ['skia-rpi2-rack4-shelf1-007', 'skia-rpi2-rack4-shelf1-007-device']],
    // One of two feeds.
    ['pdu-1', '9', []],
    ['skia-rpi2-rack4-shelf1-007', 'usb/1-1.2', ['skia-rpi2-rack4-shelf1-007-device']],
    ['pdu-1', '8', ['jumphost-rack4']],
    ['pdu-2', '16', []],
  ])('%s/%s', (device, outlet, names) => {
    expect(goesDark(rack, { device, outlet })).toEqual(names);
  });

  it('goes on through the network', () => {
    const dark = goesDark(rack, { device: 'pdu-1', outlet: '2' });

    expect(dark).toEqual([
      'jumphost-rack4',
      'switch-1',
      'pdu-1',
      ...shelf1.flatMap((name) => [name, `${name}-device`]),
    ]);
    // The PDU can no longer be reached, but what it feeds goes on.
    expect(dark).not.toContain('switch-2');
  });

  it('is dark only when all feeds are, and then also round a ring', () => {
    const rack = smallRack(`equipment:
  ups: { model: synaccess, address: 192.168.1.10 }
  pdu-1: { model: synaccess, address: 192.168.1.11, power: [ups/1, pdu-2/1] }
  pdu-2: { model: synaccess, address: 192.168.1.12, power: pdu-1/1 }
machines:
  a: { kind: host, power: [pdu-1/2, pdu-2/2] }
  b: { kind: host, power: [pdu-1/3, ups/2] }
`);

    expect(goesDark(rack, { device: 'ups', outlet: '1' })).toEqual(['pdu-1', 'pdu-2', 'a']);
    expect(goesDark(rack, { device: 'pdu-1', outlet: '1' })).toEqual(['pdu-2']);
    expect(goesDark(rack, { device: 'ups', outlet: '2' })).toEqual([]);
  });

  it('counts what several outlets take together', () => {
    const feeds = rack.machines.get('skia-e-linux-01')?.power ?? [];

    expect(feeds.map((feed) => goesDark(rack, feed))).toEqual([[], []]);
    expect(goesDark(rack, feeds)).toEqual(['skia-e-linux-01']);
  });

  it('agrees with going from each thing to all of its sources', () => {
    fc.assert(
      fc.property(inventory, (raw) => {
        const rack = parseRack(stringify(raw), { file: 'rack.yaml' });

        for (const outlet of outletsOf(rack)) {
          const dark = namesOf(rack).filter((name) => !isLinked(rack, name, outlet));
          expect(goesDark(rack, outlet), formatOutlet(outlet)).toEqual(dark);
        }
      }),
      runs(60),
    );
  });

  it('reaches only who depends on the outlet, and everyone who has no other feed', () => {
    fc.assert(
      fc.property(inventory, (raw) => {
        const rack = parseRack(stringify(raw), { file: 'rack.yaml' });

        for (const outlet of outletsOf(rack)) {
          const cut = formatOutlet(outlet);
          const dependents = namesOf(rack).filter((name) => dependsOn(rack, name).includes(cut));
          expect(dependents).toEqual(expect.arrayContaining(goesDark(rack, outlet)));
          const singly = dependents.filter((name) => feedsOf(rack, name).length === 1);
          const own = singly.filter((name) => feedsOf(rack, name).map(formatOutlet).includes(cut));
          expect(goesDark(rack, outlet)).toEqual(expect.arrayContaining(own));
        }
      }),
      runs(30),
    );
  });
});

// The oracle: plain recursion along the wires, without any memory but the way.

function namesOf(rack: Rack): string[] {
  const machines = [...rack.machines.values()];
  return [
    rack.jumphost.name,
    ...rack.equipment.keys(),
    ...machines.flatMap(({ name, devices }) => [name, ...devices.map(({ fullName }) => fullName)]),
  ];
}

function hostOf(rack: Rack, name: string): string | undefined {
  return [...rack.machines.values()].find(({ devices }) =>
    devices.some(({ fullName }) => fullName === name),
  )?.name;
}

function feedsOf(rack: Rack, name: string): Outlet[] {
  const host = rack.machines.get(hostOf(rack, name) ?? '');
  const device = host?.devices.find(({ fullName }) => fullName === name);
  if (host && device) return [feedOf(host.name, device) ?? []].flat();
  const entry = rack.machines.get(name) ?? rack.equipment.get(name) ?? rack.jumphost;
  return entry.power;
}

function outletsOf(rack: Rack): Outlet[] {
  return namesOf(rack).flatMap((name) => feedsOf(rack, name));
}

function isOn(rack: Rack, name: string, cut: Outlet, way: string[] = []): boolean {
  if (way.includes(name)) return false;
  const host = hostOf(rack, name);
  if (host !== undefined && !isOn(rack, host, cut, [...way, name])) return false;
  const feeds = feedsOf(rack, name);
  const isAlive = (feed: Outlet) => formatOutlet(feed) !== formatOutlet(cut);
  return (
    feeds.length === 0 ||
    feeds.some(
      (feed) =>
        isAlive(feed) && (feed.device === host || isOn(rack, feed.device, cut, [...way, name])),
    )
  );
}

function isLinked(rack: Rack, name: string, cut: Outlet): boolean {
  if (!isOn(rack, name, cut)) return false;
  const host = hostOf(rack, name);
  if (host !== undefined) return isLinked(rack, host, cut);
  const { uplink } = rack.machines.get(name) ?? rack.equipment.get(name) ?? rack.jumphost;
  return uplink === undefined || uplink === 'internet' || isLinked(rack, uplink.device, cut);
}
