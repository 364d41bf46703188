import { runs } from '@skolo/durable/campaign';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRack } from '../load.ts';
import { expandRange } from '../ranges.ts';
import { editRack, type RackEdit } from './edit-rack.ts';
import { foldValues } from './fold.ts';

const head = `rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8, uplink: switch-2/8 } # in the cellar
infrastructure:
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
  ])('changes %s, and nothing else', (_what, machines, edits, expected) => {
    const { machines: result, left } = edited(machines, ...edits);

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
    ['  a: { kind: host }\n', uplink('a', 'switch-1/1'), 'its entry has no `uplink` of its own'],
    ['  b: { kind: host }\n', uplink('a', 'switch-1/1'), 'a is not in rack.yaml'],
    [
      '  a: { kind: host, label: &port switch-1/3 }\n  b: { kind: host, uplink: *port }\n',
      uplink('b', 'switch-1/4'),
      'its `uplink` is an alias, *port',
    ],
    [
      '  a-[1-3]: { kind: host, power: switch-1/[1-3] }\n',
      { name: 'a-2', key: 'power' as const, value: 'switch-2/2' },
      'no range gives the `power` of all 3 names; give a-2 an entry of its own',
    ],
    [
      '  a: { kind: host, power: [switch-1/1, switch-2/1] }\n',
      { name: 'a', key: 'power' as const, value: 'switch-2/2' },
      'its `power` is a list of feeds',
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

  it('gives exactly the new values, whatever they are, and keeps every comment', () => {
    const port = fc.record({
      device: fc.constantFrom('switch-1', 'switch-2'),
      port: fc.integer({ min: 1, max: 48 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(port, {
          minLength: 12,
          maxLength: 12,
          selector: ({ device, port }) => `${device}/${port}`,
        }),
        fc.constantFrom('switch-1/[1-12]', '[switch-1/[1-5], switch-2/7, "switch-1/[20-25]"]'),
        (ports, former) => {
          const machines = `  # first\n  a-[01-12]: # second\n    kind: host\n    uplink: ${former} # third\n    # fourth\n`;
          const values = ports.map(({ device, port }) => `${device}/${port}`);
          const names = expandRange('a-[01-12]');
          const edits = names.map((name, at) => uplink(name, values[at] ?? ''));

          const { text, machines: result } = edited(machines, ...edits);

          const rack = parseRack(text, { file: 'rack.yaml' });
          const got = names.map((name) => {
            const found = rack.machines.get(name)?.uplink;
            return `${found?.device}/${found?.outlet}`;
          });
          expect(got).toEqual(values);
          expect(result.match(/# \w+/g)).toEqual(['# first', '# second', '# third', '# fourth']);
        },
      ),
      runs(60),
    );
  });
});

describe('values as ranges', () => {
  it('are what they stand for, in their order', () => {
    const value = fc.tuple(
      fc.constantFrom('a/', 'b/0', 'eth', 'b8:27:eb:00:00:'),
      fc.integer({ min: 0, max: 120 }),
      fc.constantFrom('', '/x'),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 30 }), (values) => {
        const texts = values.map((parts) => parts.join(''));

        expect(foldValues(texts).flatMap((text) => expandRange(text))).toEqual(texts);
      }),
      runs(300),
    );
  });

  it.each([
    [['s/1', 's/2', 's/3'], ['s/[1-3]']],
    [['s/08', 's/09', 's/10'], ['s/[08-10]']],
    [
      ['b8:27:eb:00:00:08', 'b8:27:eb:00:00:09', 'b8:27:eb:00:00:0a'],
      ['b8:27:eb:00:00:[08-09]', 'b8:27:eb:00:00:0a'],
    ],
    [
      ['s-1/1', 's-1/2', 's-2/1'],
      ['s-1/[1-2]', 's-2/1'],
    ],
  ])('%j are %j', (values, texts) => {
    expect(foldValues(values)).toEqual(texts);
  });
});
