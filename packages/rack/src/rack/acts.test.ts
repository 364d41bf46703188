import { expect, it } from 'vitest';
import { usableRack } from '../read/load.ts';
import { smallRack } from '../testing/example.ts';
import { whyNotActing } from './acts.ts';
import { machinePartOf } from './machine-part.ts';

const machines = `machines:
  a-[1-2]: { kind: host, power: pdu-1/[1-2], acts: false }
  b: { kind: host, acts: true }
  c: { kind: host }
equipment:
  pdu-1: { model: apc-rpdu, address: 192.168.1.30 }
`;

it.each([
  ['', ['a-1', 'a-2']],
  ['acts: true\n', ['a-1', 'a-2']],
  ['acts: false\n', ['a-1', 'a-2', 'c', 'rack']],
])('skolo only observes what rack.yaml has it for: %j', (head, expected) => {
  const rack = smallRack(`${head}${machines}`);

  const observed = [...rack.machines.values()]
    .filter((machine) => whyNotActing(rack, machine) !== undefined)
    .map(({ name }) => name);
  const parts = [...rack.machines.values()]
    .filter((machine) => machinePartOf(rack, machine).acts === false)
    .map(({ name }) => name);

  expect(whyNotActing(rack) === undefined ? observed : [...observed, 'rack']).toEqual(expected);
  expect(parts).toEqual(observed);
});

it.each(['acts: flase', 'acts: 0', 'act: false', 'atcs: false'])(
  'at a start with an error, %j is as good as false',
  (line) => {
    const text = `rack: small\njumphost: { name: jumphost, address: 192.168.1.8 }\n${line}\n`;

    expect(usableRack(text, { file: 'rack.yaml', strictFor: 'router-backup' }).acts).toBe(false);
  },
);
