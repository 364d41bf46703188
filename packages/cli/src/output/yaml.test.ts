import { expect, it } from 'vitest';
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

it.each([
  ['yes', '"yes"'],
  ['No', '"No"'],
  ['null', '"null"'],
  ['', '""'],
  ['123', '"123"'],
  ['1e3', '"1e3"'],
  ['.5', '".5"'],
  ['2026-11-20', '"2026-11-20"'],
  ['192.168.1.0/24', '"192.168.1.0/24"'],
  ['a: b', '"a: b"'],
  ['a #b', '"a #b"'],
  ['a,b', '"a,b"'],
  ['- a', '"- a"'],
  ['*a', '"*a"'],
  ['rpi-[1-3]', '"rpi-[1-3]"'],
  ['a\nb\u2028', '"a\\nb\u2028"'],
  ['America/New_York', 'America/New_York'],
  ['/etc/skolo/token', '/etc/skolo/token'],
  [true, 'true'],
  [null, 'null'],
  [1.5, '1.5'],
])('writes %j as %s', (value, text) => {
  expect(yamlOf({ key: value })).toBe(`key: ${text}`);
});
