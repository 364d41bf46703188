import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandRange } from '../ranges/ranges.ts';
import { parseRack } from '../read/load.ts';
import { editRack, type RackEdit } from './edit-rack.ts';

const head = `rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8, uplink: switch-2/8 } # in the cellar
equipment:
  switch-[1-2]: { model: edgeswitch, portCount: 48, address: 192.168.1.1[1-2] }
machines:
`;

function edited(machines: string, ...edits: RackEdit[]) {
  const { text, left } = editRack(`${head}${machines}`, edits, 'rack.yaml');
  return { machines: text.slice(text.indexOf('machines:\n') + 'machines:\n'.length), text, left };
}

function uplink(name: string, value: string): RackEdit {
  return { name, key: 'uplink', value };
}

describe('an edit of rack.yaml', () => {
  it.each([
    [
      'a value of one name',
      '  a: { kind: host, uplink: switch-1/3 } # by the door\n',
      [uplink('a', 'switch-2/4')],
      '  a: { kind: host, uplink: switch-2/4 } # by the door\n',
    ],
    [
      'one of a range, which stays one',
      '  # four of them\n  a-[1-4]:\n    kind: host\n    uplink: switch-1/[1-4] # left\n    # right\n',
      [uplink('a-2', 'switch-1/20')],
      '  # four of them\n  a-[1-4]:\n    kind: host\n    uplink: switch-1/[1,20,3-4] # left\n    # right\n',
    ],
    [
      'two of a range that have been swapped',
      '  a-[1-4]: { kind: host, uplink: "switch-1/[1-4]" }\n',
      [uplink('a-2', 'switch-1/3'), uplink('a-3', 'switch-1/2')],
      '  a-[1-4]: { kind: host, uplink: "switch-1/[1,3,2,4]" }\n',
    ],
    [
      'one that goes to another switch',
      '  a-[1-4]: { kind: host, uplink: switch-1/[1-4] }\n',
      [uplink('a-2', 'switch-2/7')],
      '  a-[1-4]: { kind: host, uplink: [switch-1/1, switch-2/7, switch-1/[3-4]] }\n',
    ],
    [
      'one of a list in a line',
      "  a-[1-3]: { kind: host, mac: [b8:27:eb:00:00:01, 'b8:27:eb:00:00:02', b8:27:eb:00:00:0a] }\n",
      [{ name: 'a-2', key: 'mac' as const, value: 'b8:27:eb:00:00:ff' }],
      "  a-[1-3]: { kind: host, mac: [b8:27:eb:00:00:01, 'b8:27:eb:00:00:ff', b8:27:eb:00:00:0a] }\n",
    ],
    [
      'one of a range in a list of lines',
      '  a-[1-4]:\n    kind: host\n    uplink:\n      - switch-1/[1-3] # left\n      - switch-2/1\n',
      [uplink('a-2', 'switch-2/9')],
      '  a-[1-4]:\n    kind: host\n    uplink:\n      - switch-1/1\n      - switch-2/9\n      - switch-1/3 # left\n      - switch-2/1\n',
    ],
    [
      'the address of one, with zeros',
      '  a-[01-12]: { kind: host, address: 192.168.1.[101-112] }\n',
      [{ name: 'a-03', key: 'address' as const, value: '192.168.1.77' }],
      '  a-[01-12]: { kind: host, address: 192.168.1.[101-102,77,104-112] }\n',
    ],
    [
      'the serial of the phone of one',
      '  a-[1-2]: { kind: rpi, device: { kind: android, serial: [0A1B, 0A1C] } } # two\n',
      [{ name: 'a-2', key: 'serial' as const, device: 'device', value: '12345678' }],
      '  a-[1-2]: { kind: rpi, device: { kind: android, serial: [0A1B, "12345678"] } } # two\n',
    ],
    [
      'the serial of a board that has none',
      '  a:\n    kind: rpi # the first\n    mac: b8:27:eb:00:00:01\n',
      [{ name: 'a', key: 'serial' as const, value: '1000000000000001' }],
      '  a:\n    kind: rpi # the first\n    serial: "1000000000000001"\n    mac: b8:27:eb:00:00:01\n',
    ],
    [
      'the serial of the board of one in a range, which becomes an entry of its own',
      '  a-[1-3]: { kind: rpi, address: 192.168.1.[101-103] } # three\n',
      [{ name: 'a-2', key: 'serial' as const, value: '10000000f00dcafe' }],
      '  a-[1,3]: { kind: rpi, address: 192.168.1.[101,103] } # three\n  a-2: { kind: rpi, serial: 10000000f00dcafe, address: 192.168.1.102 }\n',
    ],
    [
      'the serial of a board that was exchanged',
      '  a-[1-2]: { kind: rpi, serial: [10000000f00dcafe, "1000000000000001"] }\n',
      [{ name: 'a-2', key: 'serial' as const, value: '100000000000000e' }],
      '  a-[1-2]: { kind: rpi, serial: [10000000f00dcafe, "100000000000000e"] }\n',
    ],
    [
      'the serial of one of several phones',
      '  a:\n    kind: rpi\n    devices:\n      - { name: left, kind: android, serial: 0A1B } # old\n      - { name: right, kind: ios, serial: 0A1C }\n',
      [{ name: 'a', key: 'serial' as const, device: 'right', value: '0A1D' }],
      '  a:\n    kind: rpi\n    devices:\n      - { name: left, kind: android, serial: 0A1B } # old\n      - { name: right, kind: ios, serial: 0A1D }\n',
    ],
    [
      'a USB port that was verified',
      '  a:\n    kind: rpi\n    devices:\n      - { name: left, power: usb/1-1.2 } # old\n      - name: right\n        power: usb/1-1.3.2\n        powerVerified: false # on a MEGA4\n',
      ['left', 'right'].map((device) => {
        return { name: 'a', key: 'powerVerified' as const, device, value: 'true' };
      }),
      '  a:\n    kind: rpi\n    devices:\n      - { name: left, powerVerified: true, power: usb/1-1.2 } # old\n      - name: right\n        power: usb/1-1.3.2\n        powerVerified: true # on a MEGA4\n',
    ],
    [
      'a USB port of one machine of several, which gets an entry of its own',
      '  a-[1-2]: { kind: rpi, devices: [{ name: left, power: usb/1-1.2 }, { name: right }] }\n',
      [{ name: 'a-2', key: 'powerVerified' as const, device: 'left', value: 'true' }],
      '  a-1: { kind: rpi, devices: [{ name: left, power: usb/1-1.2 }, { name: right }] }\n  a-2: { kind: rpi, devices: [ { name: left, powerVerified: true, power: usb/1-1.2 }, { name: right } ] }\n',
    ],
  ])('changes %s, and nothing else', (_what, machines, edits, expected) => {
    const { machines: result, left } = edited(machines, ...edits);

    expect(result).toBe(expected);
    expect(left).toEqual([]);
  });

  it.each([
    [
      '  # three\n  a-[1-3]: { kind: host, power: switch-1/[1-3], mac: [b8:27:eb:00:00:01, b8:27:eb:00:00:02, b8:27:eb:00:00:0a] } # here\n  b: { kind: host }\n',
      '  # three\n  a-[1,3]: { kind: host, power: switch-1/[1,3], mac: [b8:27:eb:00:00:01, b8:27:eb:00:00:0a] } # here\n  a-2: { kind: host, power: switch-2/2, mac: b8:27:eb:00:00:02 }\n  b: { kind: host }\n',
    ],
    [
      '  a-[1-2]:\n    kind: host # of steel\n    address: 192.168.1.[51-52]\n    power: switch-1/[1-2]\n    mac:\n      - b8:27:eb:00:00:01\n      - b8:27:eb:00:00:0a # new\n    device: { kind: android, power: usb/1-1.2 }\n    # last\n',
      '  a-1:\n    kind: host # of steel\n    address: 192.168.1.51\n    power: switch-1/1\n    mac:\n      - b8:27:eb:00:00:01\n    device: { kind: android, power: usb/1-1.2 }\n    # last\n  a-2: { kind: host, address: 192.168.1.52, power: switch-2/2, mac: b8:27:eb:00:00:0a, device: { kind: android, power: usb/1-1.2 } }\n',
    ],
  ])('gives one an entry of its own, where no range has its value: %j', (machines, expected) => {
    const edit = { name: 'a-2', key: 'power' as const, value: 'switch-2/2' };

    const { machines: result, left } = edited(machines, edit);

    expect(result).toBe(expected);
    expect(left).toEqual([]);
  });

  it('changes the jumphost and devices', () => {
    const { text } = edited('  a: { kind: host }\n', uplink('jumphost', 'switch-2/9'), {
      name: 'switch-2',
      key: 'address',
      value: '192.168.1.99',
    });

    expect(text).toContain('uplink: switch-2/9 } # in the cellar');
    expect(text).toContain('address: 192.168.1.[11,99] }');
  });

  it.each([
    ['  a: { kind: host }\n', uplink('a', 'switch-1/1'), 'the entry does not contain `uplink`'],
    ['  b: { kind: host }\n', uplink('a', 'switch-1/1'), 'a is not in rack.yaml'],
    [
      '  a: { kind: host, label: &port switch-1/3 }\n  b: { kind: host, uplink: *port }\n',
      uplink('b', 'switch-1/4'),
      '`uplink` is an alias, *port',
    ],
    [
      '  a-[1-3]: { kind: host, label: &l x, shelf: *l, power: switch-1/[1-3] }\n',
      { name: 'a-2', key: 'power' as const, value: 'switch-2/2' },
      'the `power` values of the 3 names cannot be written as one range; write a separate entry for each of these names: a-2',
    ],
    [
      '  a: { kind: rpi, device: { kind: android } }\n',
      { name: 'a', key: 'serial' as const, device: 'device', value: '0A1D' },
      'the entry does not contain `serial`',
    ],
    [
      '  a: { kind: host, power: [switch-1/1, switch-2/1] }\n',
      { name: 'a', key: 'power' as const, value: 'switch-2/2' },
      '`power` is a list of outlets, which skolo cannot edit',
    ],
  ])('leaves to a person: %j', (machines, edit, why) => {
    const { machines: result, left } = edited(machines, edit);

    expect(result).toBe(machines);
    expect(left).toEqual([{ edit, why }]);
  });

  it('is not made where it would change another entry, too, or break the file', () => {
    const shared =
      '  a: { kind: host, address: 192.168.1.50, uplink: &port switch-1/3 }\n  b: { kind: host, address: 192.168.1.51, uplink: *port }\n';

    expect(() => edited(shared, uplink('a', 'switch-1/4'))).toThrow('rack.yaml');
    expect(() =>
      edited('  a: { kind: host, uplink: switch-1/3 }\n', uplink('a', 'switch-9/1')),
    ).toThrow('switch-9');
  });

  // The jumphost has switch-2/8.
  const ports = fc.uniqueArray(
    fc
      .record({
        device: fc.constantFrom('switch-1', 'switch-2'),
        port: fc.integer({ min: 1, max: 48 }),
      })
      .map(({ device, port }) => `${device}/${port}`)
      .filter((port) => port !== 'switch-2/8'),
    { minLength: 12, maxLength: 12 },
  );
  const names = expandRange('a-[01-12]');

  it('gives exactly the new values, whatever they are, and keeps every comment', () => {
    fc.assert(
      fc.property(
        ports,
        fc.constantFrom('switch-1/[1-12]', '[switch-1/[1-5], switch-2/7, "switch-1/[20-25]"]'),
        (values, previous) => {
          const machines = `  # first\n  a-[01-12]: # second\n    kind: host\n    uplink: ${previous} # third\n    # fourth\n`;
          const edits = names.map((name, at) => uplink(name, values[at] ?? ''));

          const { text, machines: result } = edited(machines, ...edits);

          expect(uplinksIn(text)).toEqual(values);
          expect(result.match(/# \w+/g)).toEqual(['# first', '# second', '# third', '# fourth']);
        },
      ),
      runs(60),
    );
  });

  it('gives exactly the new outlets, with entries of their own where need be', () => {
    const machines = `  # first\n  a-[01-12]: # second\n    kind: host\n    address: 192.168.1.[101-112]\n    mac: "b8:27:eb:00:00:[10-21]"\n    power: switch-1/[1-12] # third\n    uplink: switch-1/[1-12]\n`;
    fc.assert(
      fc.property(ports, fc.subarray(names), (values, some) => {
        const free = values.filter((value) => Number(value.split('/')[1]) > 12);
        const moved = some.slice(0, free.length);
        const edits = moved.flatMap((name, at): RackEdit[] => {
          const value = free[at] ?? '';
          return [uplink(name, value), { name, key: 'power', value }];
        });

        const { text, left } = edited(machines, ...edits);

        expect(left).toEqual([]);
        const rack = parseRack(text, { file: 'rack.yaml' });
        for (const [at, name] of names.entries()) {
          const place = moved.indexOf(name);
          const port = place < 0 ? `switch-1/${at + 1}` : free[place];
          const { uplink: up, power = [] } = rack.machines.get(name) ?? {};
          expect([up, ...power].map((each) => `${each?.device}/${each?.outlet}`)).toEqual([
            port,
            port,
          ]);
        }
        expect(text.match(/# (?:first|second|third)/g)).toHaveLength(3);
      }),
      runs(60),
    );
  });

  function uplinksIn(text: string): string[] {
    const { machines } = parseRack(text, { file: 'rack.yaml' });
    return names.map((name) => {
      const found = machines.get(name)?.uplink;
      return `${found?.device}/${found?.outlet}`;
    });
  }
});
