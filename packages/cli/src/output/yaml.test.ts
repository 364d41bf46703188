import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlOf } from './yaml.ts';

it('writes maps in blocks, and lists of scalars on a line', () => {
  const value = {
    rack: 'rack4',
    network: {},
    machines: { 'rpi-001': { power: ['switch-1/1', 'pdu-1/2'], tags: [], ports: { ssh: 22 } } },
    devices: [{ name: 'left', serial: '0001' }, { name: 'right' }],
    nested: [[1, 2], ['a']],
  };

  expect(yamlOf(value)).toBe(`rack: rack4
network: {}
machines:
  rpi-001:
    power: [switch-1/1, pdu-1/2]
    tags: []
    ports:
      ssh: 22
devices:
  - name: left
    serial: "0001"
  - name: right
nested:
  - [1, 2]
  - [a]`);
});

it('quotes text that a version of YAML reads as another type', () => {
  expect(yamlOf({ key: 'yes' })).toBe('key: "yes"');
  expect(yamlOf({ key: '0123' })).toBe('key: "0123"');
});

it('parses to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parse(yamlOf(JSON.parse(JSON.stringify(value))))).toEqual(
        JSON.parse(JSON.stringify(value)),
      );
    }),
  );
});
