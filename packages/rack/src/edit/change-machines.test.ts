import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRack } from '../read/load.ts';
import { addMachines, removeMachines, setMachines } from './change-machines.ts';

const head = `rack: desk
network: { subnet: 10.1.1.0/24 } # the wire
jumphost: { name: host01, address: 10.1.1.2 }
`;
const text = `${head}machines:
  # four of them
  host[02-05]: { kind: rpi, address: 10.1.1.[3-6] } # on the desk
  # alone
  spare:
    kind: host
    address: 10.1.1.9 # for now
`;
const file = 'rack.yaml';
const machinesOf = (result: string) => result.slice(result.indexOf('machines:'));
const addresses = (result: string) =>
  [...parseRack(result, { file }).machines.values()].map(({ name, address }) => [name, address]);

describe('machines of rack.yaml', () => {
  it('are added behind the others, as a range where it is one', () => {
    const values = new Map<string, string | string[]>([
      ['kind', 'rpi'],
      ['address', ['10.1.1.7', '10.1.1.8', '10.1.1.30']],
    ]);

    const result = addMachines(text, ['host06', 'host07', 'red'], values, file);

    expect(result).toBe(
      `${text}  host[06-07]: { kind: rpi, address: 10.1.1.[7-8] }\n  red: { kind: rpi, address: 10.1.1.30 }\n`,
    );
    expect(machinesOf(addMachines(head, ['host02'], new Map([['kind', 'rpi']]), file))).toBe(
      'machines:\n  host02: { kind: rpi }\n',
    );
    expect(() => addMachines(text, ['spare'], new Map([['kind', 'rpi']]), file)).toThrow('spare');
  });

  it('are removed, also out of a range', () => {
    const result = removeMachines(text, ['host03'], file);

    expect(machinesOf(result)).toBe(`machines:
  # four of them
  host[02,04-05]: { kind: rpi, address: 10.1.1.[3,5-6] } # on the desk
  # alone
  spare:
    kind: host
    address: 10.1.1.9 # for now
`);
    const none = removeMachines(result, ['host02', 'host04', 'host05', 'spare'], file);
    expect(addresses(none)).toEqual([]);
    expect(addresses(addMachines(none, ['a'], new Map([['kind', 'rpi']]), file))).toEqual([
      ['a', undefined],
    ]);
    expect(removeMachines(text, ['spare'], file)).toContain('# on the desk');
  });

  it('get values, for all of an entry or for some', () => {
    const all = ['host02', 'host03', 'host04', 'host05'];
    const macs = all.map((_, at) => `dc:a6:32:00:00:0${at + 1}`);

    expect(machinesOf(setMachines(text, all, new Map([['mac', macs]]), file))).toContain(
      '  host[02-05]: { kind: rpi, address: 10.1.1.[3-6], mac: "dc:a6:32:00:00:[01-04]" } # on the desk\n',
    );
    const some = setMachines(text, ['host03', 'spare'], new Map([['shelf', 'left']]), file);
    expect(machinesOf(some)).toBe(`machines:
  # four of them
  host[02,04-05]: { kind: rpi, address: 10.1.1.[3,5-6] } # on the desk
  host03: { kind: rpi, address: 10.1.1.4, shelf: left }
  # alone
  spare:
    kind: host
    address: 10.1.1.9 # for now
    shelf: left
`);
    const two = setMachines(text, ['host03', 'host04'], new Map([['shelf', 'left']]), file);
    expect(machinesOf(two)).toContain(
      '  host[02,05]: { kind: rpi, address: 10.1.1.[3,6] } # on the desk\n  host[03-04]: { kind: rpi, address: 10.1.1.[4-5], shelf: left }\n',
    );
    expect(
      addresses(setMachines(text, ['spare'], new Map([['address', '10.1.1.77']]), file)),
    ).toContainEqual(['spare', '10.1.1.77']);
  });

  it.each([
    ['at the end of the entry', 'power:\n      - pdu/[1-2]\n      - pdu/[3-4]\n', ''],
    ['before another key', 'power:\n      - pdu/[1-2]\n      - pdu/[3-4]\n', '    shelf: left\n'],
    ['behind a comment', 'power: # two feeds\n      - pdu/[1-2]\n      - pdu/[3-4]\n', ''],
  ])('replace a list that has a line for each item, %s', (_, list, rest) => {
    const before = `rack: r
equipment:
  pdu: { model: apc-rpdu, address: 192.168.1.12, login: l }
logins: { l: { snmp: { version: 2, community: c } } }
network: { subnet: 192.168.1.0/24 }
jumphost: { name: j, address: 192.168.1.8 }
machines:
  m-[1-2]:
    kind: rpi
    address: 192.168.1.[101-102]
    ${list}${rest}`;

    const after = setMachines(before, ['m-1', 'm-2'], new Map([['power', 'pdu/[5-6]']]), file);

    const gap = list.includes('#') ? ' # two feeds\n      ' : ' ';
    expect(after.endsWith(`    power:${gap}pdu/[5-6]\n${rest}`)).toBe(true);
  });

  it('are the same but for their new value, whichever they are', () => {
    const names = Array.from({ length: 12 }, (_, at) => `m-${String(at + 1).padStart(2, '0')}`);
    const uplink = fc.constantFrom(
      'switch-1/[1-12]',
      '[switch-1/[1-5], switch-1/17, "switch-1/[20-25]"]',
      '\n      - switch-1/[1-5]\n      - switch-1/17\n      - switch-1/[20-25]',
    );
    fc.assert(
      fc.property(uplink, fc.subarray(names, { minLength: 1 }), (outlets, some) => {
        const before = `rack: r
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, login: l }
logins: { l: { username: u } }
network: { subnet: 192.168.1.0/24 }
jumphost: { name: j, address: 192.168.1.8 }
machines:
  m-[01-12]:
    kind: rpi
    address: 192.168.1.[101-112]
    devices: [{ name: phone, kind: android, serial: "S[1-12]" }]
    metadata: { tags: [bot, "n[1-12]"], attributes: { label: a-[1-12] } }
    uplink: ${outlets}
`;
        let after: string;
        try {
          after = setMachines(before, some, new Map([['shelf', 'left']]), file);
        } catch (error) {
          // A list of ranges that some of them leave may have no form.
          expect(error).toMatchObject({ code: 'BY_HAND' });
          return;
        }
        const [was, is] = [before, after].map((each) => parseRack(each, { file }).machines);
        const expected = names.map((name) => {
          const machine = was?.get(name);
          return some.includes(name) ? { ...machine, shelf: 'left' } : machine;
        });
        expect(names.map((name) => is?.get(name))).toEqual(expected);
      }),
      runs(100),
    );
  });
});
