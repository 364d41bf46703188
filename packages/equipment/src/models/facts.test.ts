import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Model, Options } from './contract/model.ts';
import { models } from './index.ts';
import { proofs } from './testing/proofs.ts';

function model(name: string): Model {
  const found = models.get(name);
  if (!found) throw new Error(`no model ${name}`);
  return found;
}

function optionsOf(name: string, given: object): Options {
  return z.strictObject(model(name).options).parse(given);
}

describe.each([...models.values()])('$name', (model) => {
  it('has facts that hold together', () => {
    expect(model.label).not.toBe('');
    expect(new Set(model.transports).size).toBe(model.transports.length);
    expect('load' in model.backup || model.backup.no.length > 0).toBe(true);
    if (model.power) expect(model.power.offSeconds).toBeGreaterThan(0);
    // Something must be possible with it.
    const { power, network, backup } = model;
    expect(power !== undefined || network !== undefined || 'load' in backup).toBe(true);
  });

  it('can be read by another login only without sessions, and where it can be read', () => {
    const { power, backup, connectedHosts = { no: '' }, transports, readOnly = [] } = model;
    const parts = {
      outlets: power && transports.every((each) => each === 'snmp' || each === 'http'),
      configuration: 'load' in backup,
      hosts: 'load' in connectedHosts,
    };
    expect(readOnly.filter((what) => !parts[what])).toEqual([]);
  });

  it('describes each key of its own', () => {
    for (const [key, schema] of Object.entries(model.options)) {
      expect(z.globalRegistry.get(schema)?.description, key).toMatch(/\.$/);
    }
  });
});

it.each(['http-switch', 'command-switch', 'mqtt-switch'])(
  '%s counts its outlets if rack.yaml has their number, and only then',
  (name) => {
    const { all } = model(name).power?.outlets ?? {};

    expect(all?.({ outlets: 3 })).toEqual(['1', '2', '3']);
    expect(all?.({})).toEqual([]);
    const counting = { on: ['{outlet-1}'], off: ['{outlet}'], read: {}, command: '{outlet+1}' };
    const keys = (options: object) => model(name).contradictions?.({ ...counting, ...options });
    const what = 'counts from an outlet; set `outlets`, so that outlets are numbers';
    expect(keys({})).toContainEqual(expect.objectContaining({ what }));
    expect(keys({ outlets: 3 })).not.toContainEqual(expect.objectContaining({ what }));
  },
);

it.each([...proofs])('%s has a proof of each part that it has', (name, proof) => {
  const { power, backup, connectedHosts } = model(name);
  const has = {
    outlets: power !== undefined,
    backups: 'load' in backup,
    'connected hosts': connectedHosts !== undefined && 'load' in connectedHosts,
  };

  expect(proof.testedWith).toMatchObject(
    Object.fromEntries(
      Object.entries(has).flatMap(([part, is]) => (is ? [[part, expect.any(String)]] : [])),
    ),
  );
  expect([proof.answering, proof.backup].map((each) => each !== undefined)).toEqual([
    has.outlets,
    has.backups,
  ]);
});

describe('outlets', () => {
  it.each<[string, object, string, string | undefined]>([
    ['edgeswitch', {}, '48', '48'],
    ['edgeswitch', {}, '0/7', '7'],
    ['edgeswitch', {}, '49', undefined],
    ['edgeswitch', {}, '0', undefined],
    ['edgeswitch', {}, '07', undefined],
    ['edgeswitch', {}, '1/0/7', undefined],
    ['edgeswitch', { portCount: 24 }, '25', undefined],
    ['edgeswitch', { stack: true }, '2/0/7', '2/0/7'],
    ['edgeswitch', { stack: true }, '7', undefined],
    ['edgeswitch', { stack: true }, '9/0/7', undefined],
    ['unifi-switch', { portCount: 8 }, '8', '8'],
    ['snmp-poe', {}, '1.14', '14'],
    ['snmp-poe', {}, '2.14', undefined],
    ['snmp-poe', { groups: 2 }, '2.14', '2.14'],
    ['snmp-poe', { groups: 2 }, '3.14', undefined],
    ['edgeos', {}, 'eth4', 'eth4'],
    ['edgeos', {}, 'eth5', undefined],
    ['edgeos', {}, '4', undefined],
    ['openwrt', {}, 'lan8', 'lan8'],
    ['openwrt', {}, 'lan0', undefined],
    ['routeros', {}, 'ether24', 'ether24'],
    ['routeros', {}, 'ether25', undefined],
    ['cisco-ios', {}, 'Gi1/0/3', 'Gi1/0/3'],
    ['cisco-ios', {}, 'GigabitEthernet1/0/3', 'Gi1/0/3'],
    ['cisco-ios', {}, 'gi3', 'Gi3'],
    ['cisco-ios', {}, '3', undefined],
    ['synaccess', {}, '16', '16'],
    ['synaccess', {}, '17', undefined],
    ['apc-rpdu', { outlets: 8 }, '9', undefined],
    ['apc-rpdu2', {}, '42', '42'],
    ['mpower', {}, '9', undefined],
    ['tasmota', {}, '1', '1'],
    ['tasmota', {}, '2', undefined],
    ['tasmota', { outlets: 4 }, '4', '4'],
    ['shelly-gen1', {}, '0', '0'],
    ['shelly-gen2', { outlets: 2 }, '1', '1'],
    ['shelly-gen2', { outlets: 2 }, '2', undefined],
    ['ipmi', {}, 'chassis', 'chassis'],
    ['ipmi', {}, '1', undefined],
    ['redfish', {}, 'System.Embedded.1', 'System.Embedded.1'],
    ['redfish', {}, 'a/b', undefined],
    ['mqtt-switch', { topic: 'plug' }, 'lamp.1', 'lamp.1'],
    ['mqtt-switch', { topic: 'plug' }, 'a b', undefined],
    ['mqtt-switch', { topic: 'plug', outlets: 4 }, '4', '4'],
    ['mqtt-switch', { topic: 'plug', outlets: 4 }, '5', undefined],
    ['mqtt-switch', { topic: 'plug', outlets: 4 }, '0', undefined],
  ])('of %s %j: %s is %s', (name, given, written, found) => {
    expect(model(name).power?.outlets.find(written, optionsOf(name, given))).toBe(found);
  });

  it.each<[string, object, string | undefined]>([
    ['ipmi', {}, 'chassis'],
    ['redfish', {}, '1'],
    ['redfish', { rackPdu: '1' }, undefined],
    ['tasmota', {}, '1'],
    ['tasmota', { outlets: 2 }, undefined],
    ['shelly-gen2', {}, '0'],
    ['edgeswitch', {}, undefined],
    ['mqtt-switch', { topic: 'plug', outlets: 1 }, '1'],
    ['mqtt-switch', { topic: 'plug' }, undefined],
  ])('of %s %j need not be written where there is only %s', (name, given, only) => {
    expect(model(name).power?.outlets.only?.(optionsOf(name, given))).toBe(only);
  });
});

describe('ports', () => {
  it.each<[string, object, string, string | undefined]>([
    ['edgeswitch', {}, '52', '52'],
    ['edgeswitch', {}, '53', undefined],
    ['vyos', {}, 'eth7', 'eth7'],
    ['frr', {}, 'eth0.100', 'eth0.100'],
    ['frr', {}, 'a b', undefined],
    ['nxos', {}, 'Ethernet1/12', 'Eth1/12'],
    ['junos', {}, 'ge-0/0/1', 'ge-0/0/1'],
    ['junos', {}, 'ge-0/0', undefined],
    ['eos', {}, 'Ethernet12/1', 'Et12/1'],
    ['routeros', {}, 'sfp-sfpplus1', 'sfp-sfpplus1'],
    ['procurve', {}, 'B12', 'B12'],
    ['procurve', {}, '2/48', '2/48'],
    ['procurve', {}, '53', undefined],
    ['generic', { prompt: '#', commands: ['show'] }, 'anything/1', 'anything/1'],
  ])('of %s %j: %s is %s', (name, given, written, found) => {
    expect(model(name).network?.find(written, optionsOf(name, given))).toBe(found);
  });

  it.each(['synaccess', 'apc-rpdu2', 'tasmota', 'ipmi'])('%s has none', (name) => {
    expect(model(name).network).toBeUndefined();
  });
});
