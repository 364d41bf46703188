import { pathsOf, runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { RackError } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { formatOutlet } from '../schema/outlets.ts';
import type { ServiceName } from '../schema/service-ports.ts';
import { parseRack, usableRack } from './load.ts';

const good = `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jump4, address: 192.168.1.8, identity: jumphost, power: pdu-1/8, uplink: switch-1/48 }
defaultIdentity: others
identities:
  bots: { project: p-bots, credentials: { fixed: secrets/bots } }
  jumphost: { project: p-jump, credentials: { fixed: secrets/jump } }
  others: { project: p-others, credentials: { fixed: secrets/others } }
logins:
  switches: { username: ubnt, password: secrets/switch }
  pdus: { snmp: { version: 2, community: secrets/community } }
  machines: { username: pi, token: secrets/token }
equipment:
  switch-[1-2]: { model: edgeswitch, address: "192.168.1.1[1-2]", login: switches, power: "pdu-1/[2-3]" }
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus, uplink: switch-1/47 }
machines:
  a-[1-4]: { kind: rpi, address: "192.168.1.[101-104]", power: "switch-1/[1-4]", identity: bots, login: machines }
  b-1: { kind: rpi, address: 192.168.1.111, power: switch-2/1, uplink: switch-2/1, identity: bots }
  b-2: { kind: host, address: 192.168.1.112, power: [pdu-1/5, pdu-1/6], uplink: switch-2/3 }
  c-1: { kind: host, address: 192.168.1.113, mac: "02:00:00:00:00:01", power: pdu-1/7, identity: none }
services:
  metadata-server: { callers: [{ cidr: 10.42.0.0/24, identity: jumphost }, { cidr: 192.168.1.64/26, identity: others }] }
`;

function usablePartOf(text: string, strictFor: ServiceName = 'metadata-server'): Rack {
  expect(() => parseRack(text, { file: 'rack.yaml', strictFor })).toThrow(RackError);
  return usableRack(text, { file: 'rack.yaml', strictFor });
}

/** The good file with one thing changed. */
function edited(from: string, to: string): string {
  expect(good).toContain(from);
  return good.replace(from, to);
}

describe('usableRack', () => {
  it('of a valid file is that rack, with nothing disabled', () => {
    const rack = usableRack(good, { file: 'rack.yaml', strictFor: 'metadata-server' });

    expect(rack.disabled).toMatchObject({ what: [], subnet: false, everyone: false });
    expect(rack.machines.size).toBe(7);
  });

  it('leaves out a machine with an error, and gives its address to nobody', () => {
    const rack = usablePartOf(
      edited('kind: host, address: 192.168.1.113', 'kin: host, address: 192.168.1.113'),
    );

    expect([...rack.machines.keys()]).toEqual(['a-1', 'a-2', 'a-3', 'a-4', 'b-1', 'b-2']);
    expect(rack.disabled?.what).toEqual(['machines.c-1']);
    expect(rack.disabled?.addresses).toEqual(new Set(['192.168.1.113']));
  });

  it('keeps the names of an endpoint where one of them is a machine with an error, or its phone', () => {
    const aliases = ['a-[1-4]', 'c-1', 'c-1-phone'];
    const text = `${good}  power-cycle-daemon: { endpoints: { pdudaemon: { allow: [127.0.0.1/32], aliases: ${JSON.stringify(aliases)} } } }\n`;

    const rack = usablePartOf(text.replace('kind: host, address: 192.168.1.113', 'kin: host'));

    expect(rack.disabled?.what).toEqual(['machines.c-1']);
    expect(rack.services['power-cycle-daemon'].endpoints.pdudaemon?.aliases).toEqual(aliases);
  });

  it('leaves out one machine of a range, where the others are well', () => {
    const rack = usablePartOf(edited('[101-104]', '[101-103,300]'));

    expect([...rack.machines.keys()]).toEqual(['a-1', 'a-2', 'a-3', 'b-1', 'b-2', 'c-1']);
    // Any address of the subnet may be the one that was meant.
    expect(rack.disabled?.subnet).toBe(true);
  });

  it('leaves out a range whose parts do not fit, with all its addresses', () => {
    const rack = usablePartOf(edited('[101-104]', '[101-103]'));

    expect([...rack.machines.keys()]).toEqual(['b-1', 'b-2', 'c-1']);
    expect(rack.disabled).toMatchObject({ what: ['machines.a-[1-4]'], subnet: true });
    expect(rack.disabled?.addresses).toEqual(
      new Set(['192.168.1.101', '192.168.1.102', '192.168.1.103']),
    );
  });

  it.each(['identities', 'logins'])('leaves out %s that are no map', (section) => {
    const rack = usablePartOf(`rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jump4, address: 192.168.1.8 }
${section}: none
machines: { a: { kind: host, address: 192.168.1.101 } }
`);

    expect(rack.disabled?.what).toEqual([section]);
    expect([...rack.machines.keys()]).toEqual(['a']);
  });

  it('leaves out both that claim the same address', () => {
    const rack = usablePartOf(edited('192.168.1.111', '192.168.1.102'));

    expect([...rack.machines.keys()]).toEqual(['a-1', 'a-3', 'a-4', 'b-2', 'c-1']);
    expect(rack.disabled?.addresses).toEqual(new Set(['192.168.1.102']));
    expect(rack.disabled?.subnet).toBe(true);
  });

  it('leaves out both that claim the same outlet', () => {
    const rack = usablePartOf(edited('power: switch-2/1,', 'power: switch-1/2,'));

    expect(rack.disabled?.names).toEqual(new Set(['a-2', 'b-1']));
  });

  it('sees the claims of what is left out: nobody else keeps them', () => {
    const rack = usablePartOf(
      edited(
        'b-1: { kind: rpi, address: 192.168.1.111, power: switch-2/1',
        'b-1: { kind: rpo, address: 192.168.1.103, power: switch-1/1',
      ),
    );

    expect(rack.machines.has('a-3')).toBe(false);
    expect(rack.machines.get('a-1')).toMatchObject({ power: [], identity: 'bots' });
    expect(rack.machines.get('a-2')?.power).toEqual([{ device: 'switch-1', outlet: '2' }]);
  });

  it('cuts off whom a bad identity was for, and does not give them the default one', () => {
    const rack = usablePartOf(edited('p-bots', 'P bots'));

    expect(rack.identities.has('bots')).toBe(false);
    expect(rack.machines.get('a-1')).toMatchObject({
      identity: 'none',
      power: [{ device: 'switch-1', outlet: '1' }],
    });
    expect(rack.disabled?.what).toContain('identities.bots');
  });

  it('takes away the outlets of a bad switch, and nothing else of its machines', () => {
    const rack = usablePartOf(edited('model: edgeswitch', 'model: edgeswich'));

    expect([...rack.equipment.keys()]).toEqual(['pdu-1']);
    expect(rack.machines.get('a-1')).toMatchObject({ identity: 'bots', power: [] });
    expect(rack.machines.get('b-2')?.power).toHaveLength(2);
    expect(rack.jumphost).not.toHaveProperty('uplink');
    expect(rack.disabled?.wiring).toBe(true);
  });

  it('does not ask equipment without the login that it had', () => {
    const rack = usablePartOf(edited('username: ubnt', 'usernme: ubnt'));

    expect([...rack.equipment.keys()]).toEqual(['pdu-1']);
    expect(rack.machines.get('a-1')?.power).toEqual([]);
  });

  it('takes a login with a password away from machines, and not from equipment', () => {
    const rack = usablePartOf(edited('login: machines', 'login: switches'));

    expect(rack.machines.get('a-1')).toMatchObject({
      identity: 'bots',
      power: [{ device: 'switch-1', outlet: '1' }],
    });
    expect(rack.machines.get('a-1')).not.toHaveProperty('login');
    expect(rack.equipment.get('switch-1')?.login).toBe('switches');
  });

  it.each([
    ['a network whose identity is not there', 'identity: others }]', 'identity: other }]'],
    ['a network twice', '192.168.1.64/26', '10.42.0.0/24'],
  ])('gives nothing to %s', (_, from, to) => {
    const { callers } = usablePartOf(edited(from, to)).services['metadata-server'];
    const [last] = callers.slice(-1);

    expect(last?.identity).toBe('none');
    expect(new Set(callers.map(({ cidr }) => cidr)).size).toBe(callers.length);
  });

  it('gives nothing by network where one network is not known', () => {
    const rack = usablePartOf(edited('192.168.1.64/26', '192.168.1.65/26'));

    expect(rack.disabled?.everyone).toBe(true);
  });

  it.each([
    ['text that is no YAML', 'rack: [', 'rack: rack4'],
    ['no jumphost', 'jumphust: { name', 'jumphost: { name'],
    ['a subnet that is none', '192.168.1.0/33', '192.168.1.0/24'],
    ['a jumphost without a valid address', 'address: 192.168.1.800', 'address: 192.168.1.8,'],
    ['a certificate that is not said', 'metadata-server: { tsl: {},', 'metadata-server: {'],
  ])('rejects %s', (_, to, from) => {
    expect(() => usablePartOf(edited(from, to))).toThrow(RackError);
  });

  it('rejects a receiver of alerts half of whose settings are wrong', () => {
    const text = `${good}  alert-to-pubsub: { project: P P }\n`;

    expect(() => usablePartOf(text, 'alert-to-pubsub')).toThrow(RackError);
    expect(
      usableRack(text, { file: 'rack.yaml', strictFor: 'metadata-server' }).disabled?.what,
    ).toEqual([]);
  });
});

function changed(value: unknown, [key = '', ...rest]: string[], change: Change): unknown {
  // An earlier error took the place of what this one would change.
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, i) =>
      String(i) !== key ? item : rest.length > 0 ? changed(item, rest, change) : change.to,
    );
  }
  const entries = Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
    if (name !== key) return [[name, item]];
    if (rest.length > 0) return [[name, changed(item, rest, change)]];
    if (change.is === 'removed') return [];
    return change.is === 'renamed' ? [[`${name}${String(change.to)}`, item]] : [[name, change.to]];
  });
  return Object.fromEntries(entries);
}

interface Change {
  is: 'replaced' | 'removed' | 'renamed';
  to: unknown;
}

const plain: unknown = parse(good);

describe('the usable part of any rack.yaml with one error', () => {
  const values = [
    'x y',
    '',
    0,
    -1,
    null,
    true,
    [],
    {},
    'none',
    'nobody',
    '[1-',
    'a-[1-3]',
    '192.168.1.102',
    '192.168.1.[101-103]',
    '192.168.1.300',
    '10.0.0.1',
    '192.168.1.8',
    'switch-1/2',
    'switch-1/99',
    'pdu-1/5',
    'pdu-1/8',
    'switch-9/1',
    'bots',
    '02:00:00:00:00:01',
    { cidr: '10.42.0.0/16' },
    [{ cidr: '10.42.0.0/24', identity: 'bots' }, 'x'],
  ];
  const error = fc.record({
    path: fc.constantFrom(...pathsOf(plain)),
    change: fc.record({
      is: fc.constantFrom<Change['is']>('replaced', 'replaced', 'replaced', 'removed', 'renamed'),
      to: fc.constantFrom<unknown>(...values),
    }),
  });

  it('gives no machine an identity, an outlet or a login that the file without the error does not', () => {
    const right = parseRack(stringify(plain), { file: 'rack.yaml', strictFor: 'metadata-server' });
    let found = 0;
    fc.assert(
      fc.property(error, ({ path, change }) => {
        const text = stringify(changed(plain, path, change));
        const rack = usableOrNothing(text);
        if (rack === undefined) return;
        found++;
        for (const machine of rack.machines.values()) {
          const same = [...right.machines.values()].find(
            ({ address }) => address === machine.address,
          );
          if (machine.identity !== 'none') expect(machine.identity).toBe(same?.identity);
          const outlets = new Set(right.machines.get(machine.name)?.power.map(formatOutlet));
          for (const outlet of machine.power) expect(outlets).toContain(formatOutlet(outlet));
          if (machine.login !== undefined) expect(machine.login).toBe(same?.login);
        }
        for (const [name, { project }] of rack.identities) {
          expect([project, undefined]).toContain(right.identities.get(name)?.project);
        }
      }),
      runs(60),
    );
    // About one error in five leaves a rack.
    expect(found).toBeGreaterThan(0);
  });

  it('is itself a valid rack, or nothing', () => {
    fc.assert(
      fc.property(fc.array(error, { minLength: 1, maxLength: 4 }), (errors) => {
        const broken = errors.reduce(
          (value, { path, change }) => changed(value, path, change),
          plain,
        );
        const rack = usableOrNothing(stringify(broken));
        if (rack === undefined) return;
        for (const machine of rack.machines.values()) {
          for (const { device } of machine.power) expect(rack.equipment.has(device)).toBe(true);
          expect(rack.disabled?.addresses.has(machine.address ?? '')).toBe(false);
          expect(rack.disabled?.names.has(machine.name)).toBe(false);
        }
      }),
      runs(30),
    );
  });
});

/** Of a file with errors; undefined for one without, and for one of which nothing can be used. */
function usableOrNothing(text: string): Rack | undefined {
  const options = { file: 'rack.yaml', strictFor: 'metadata-server' } as const;
  try {
    parseRack(text, options);
    return undefined;
  } catch {
    try {
      return usableRack(text, options);
    } catch (error) {
      expect(error).toBeInstanceOf(RackError);
      return undefined;
    }
  }
}
