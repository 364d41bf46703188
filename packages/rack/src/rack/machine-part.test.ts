import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { RackError } from '../issues/issues.ts';
import { parseRack } from '../read/load.ts';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { exampleRack, smallRack } from '../testing/example.ts';
import { machinePartOf, readMachinePart } from './machine-part.ts';

const rack = exampleRack();

function partOf(name: string) {
  const machine = rack.machines.get(name);
  if (!machine) throw new Error(`no ${name}`);
  return machinePartOf(rack, machine);
}

describe('machinePartOf', () => {
  it('is what a machine needs to know of itself', () => {
    expect(partOf('skia-rpi2-rack4-shelf2-002')).toMatchObject({
      rack: 'rack4',
      timezone: 'America/New_York',
      domain: 'lan',
      name: 'skia-rpi2-rack4-shelf2-002',
      kind: 'rpi',
      shelf: 'shelf2',
      address: '192.168.1.152',
      identity: 'bots',
      devices: [
        {
          name: 'left',
          fullName: 'skia-rpi2-rack4-shelf2-002-left',
          kind: 'android',
          serial: 'R58M1002',
          power: { hub: '1-1.3', port: 1 },
        },
        { name: 'right', kind: 'ios', power: { hub: '1-1.3', port: 2 } },
      ],
      swarming: { thresholds: { hotCelsius: 38, batteryLowPercent: 30 }, taskGraceSeconds: 7200 },
      services: {
        'metadata-server': 'http://192.168.1.8:80',
        'power-cycle-daemon': 'http://192.168.1.8:9210',
      },
      agent: { anonymousRead: rack.access.anonymousRead },
    });
  });

  it('has the public key for its agent, and the networks that may read', () => {
    const publicKey = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const open =
      smallRack(`access: { agents: { privateKey: secrets/agents, publicKey: ${publicKey} }, anonymousRead: [192.168.1.0/24] }
machines: { a: { kind: rpi } }
`);
    const [machine] = open.machines.values();
    if (!machine) throw new Error('no machine');

    const machinePart = machinePartOf(open, machine);

    expect(machinePart.agent).toEqual({ publicKey, anonymousRead: ['192.168.1.0/24'] });
    expect(JSON.stringify(machinePart)).not.toContain('secrets/agents');
  });

  it.each([...rack.machines.keys()].filter((_, i) => i % 9 === 0))(
    'tells %s nothing of others, of wiring, of secrets',
    (name) => {
      const text = JSON.stringify(partOf(name));

      for (const { password, enablePassword, privateKey, username } of rack.logins.values()) {
        for (const ref of [password, enablePassword, privateKey]) {
          if (ref) expect(text).not.toContain('file' in ref ? ref.file : ref.env);
        }
        expect(text).not.toContain(`"${username}"`);
      }
      for (const other of [...rack.machines.keys(), ...rack.equipment.keys()]) {
        if (other !== name) expect(text).not.toContain(other);
      }
      expect(text).not.toMatch(/secrets\/|switch-|pdu-|router|credentials|serviceAccount/);
    },
  );

  it('says the default identity, and leaves out an outlet that feeds a phone', () => {
    const rack = smallRack(`defaultIdentity: bots
identities: { bots: { project: p, credentials: { fixed: secrets/token } } }
equipment: { pdu-1: { model: synaccess, address: 192.168.1.30 } }
machines: { a: { kind: rpi, device: { kind: chromeos, power: pdu-1/3, address: 192.168.1.99, login: ssh } } }
logins: { ssh: { username: root, privateKey: secrets/id } }
`);
    const [machine] = rack.machines.values();

    expect(machine && machinePartOf(rack, machine)).toMatchObject({
      identity: 'bots',
      devices: [
        { name: 'device', fullName: 'a-device', kind: 'chromeos', address: '192.168.1.99' },
      ],
    });
    expect(JSON.stringify(machine && machinePartOf(rack, machine).devices)).not.toMatch(
      /power|login/,
    );
  });
});

describe('readMachinePart', () => {
  it('reads what machinePartOf made, whatever the rack', () => {
    fc.assert(
      fc.property(inventory, (plain) => {
        const any = parseRack(stringify(plain, { version: '1.1' }), { file: 'rack.yaml' });
        for (const machine of any.machines.values()) {
          const machinePart = machinePartOf(any, machine);
          const kept = JSON.parse(JSON.stringify(machinePart));
          expect(readMachinePart(kept, 'skolo-machine')).toEqual(machinePart);
        }
      }),
      runs(100),
    );
  });

  it('leaves out what a newer version put in', () => {
    const machinePart = partOf('skia-rpi2-rack4-shelf1-001');
    const newer = {
      ...machinePart,
      moon: 'full',
      swarming: { ...machinePart.swarming, warp: 9, readSeconds: 'often' },
    };

    expect(readMachinePart(newer, 'skolo-machine')).toEqual(machinePart);
  });

  it.each([
    ['text', 'skolo-machine:1:1 expected a map, found "text"'],
    [{}, 'skolo-machine:1:1 rack: is missing'],
  ])('rejects %j', (value, first) => {
    expect(() => readMachinePart(value, 'skolo-machine')).toThrow(RackError);
    expect(() => readMachinePart(value, 'skolo-machine')).toThrow(first);
  });
});
