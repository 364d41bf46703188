import { existsSync, readFileSync } from 'node:fs';
import { models } from '@skolo/models';
import { describe, expect, it } from 'vitest';
import { readOxidized, readPdudaemon, readRancid } from './device-import.ts';
import { controlPoints, oxidizedModels, pdudaemonDrivers, rancidTypes } from './foreign-models.ts';

describe('the tables', () => {
  const known = [
    ...Object.values(oxidizedModels),
    ...Object.values(rancidTypes),
    ...Object.values(pdudaemonDrivers).map(({ model }) => model),
    ...Object.values(controlPoints),
  ];

  it('lead to models', () => {
    expect(known.filter((model) => !models.has(model))).toEqual([]);
  });

  it('have the other names that models have', () => {
    for (const [foreign, model] of Object.entries({ ...oxidizedModels, ...rancidTypes })) {
      const own = [...models.values()].find(({ elsewhere = [] }) => elsewhere.includes(foreign));
      expect([foreign, own?.name ?? model]).toEqual([foreign, model]);
    }
  });

  const base = '/etc/rancid/rancid.types.base';
  it.skipIf(!existsSync(base))('have types that RANCID has', () => {
    const types = [...readFileSync(base, 'utf8').matchAll(/^([\w-]+);(script|alias);/gm)];
    const names = types.map(([, name]) => name);

    expect(Object.keys(rancidTypes).filter((type) => !names.includes(type))).toEqual([]);
  });
});

describe('Oxidized', () => {
  it('has the usual columns', () => {
    const text =
      '# routers\n\nr1.example.com:192.0.2.1:IOS:ann:hunter2\nfw:192.0.2.2:fortios:ann:hunter2\n';

    expect(readOxidized(text, 'router.db')).toEqual({
      devices: [
        {
          name: 'r1',
          writtenName: 'r1.example.com',
          host: '192.0.2.1',
          entry: { model: 'cisco-ios' },
          login: { username: 'ann', password: 'hunter2' },
        },
      ],
      left: ['fw: skolo has no model for fortios'],
    });
  });

  it('has the columns, names of models and users of its config', () => {
    const config = `
username: oxidized
password: hunter2
model: junos
groups:
  lab: { username: lab, password: hunter2 }
models:
  routeros: { username: admin }
source:
  default: csv
  csv:
    file: router.db
    delimiter: !ruby/regexp /;/
    map: { name: 0, model: 1, group: 2, username: 3 }
    vars_map: { enable: 4 }
model_map: { cisco: ios }
`;
    const text = 'a;cisco;lab;;secret\nb;routeros;;;\nc;;;;nil\nd;eos;lab;dan;\n';

    const { devices } = readOxidized(text, 'router.db', { text: config, file: 'config' });

    expect(devices.map(({ name, entry, login }) => [name, entry, login])).toEqual([
      ['a', { model: 'cisco-ios' }, { username: 'lab', password: '', enablePassword: 'secret' }],
      ['b', { model: 'routeros' }, { username: 'admin', password: '' }],
      ['c', { model: 'junos' }, { username: 'oxidized', password: '' }],
      ['d', { model: 'eos' }, { username: 'dan', password: '' }],
    ]);
  });

  it('backs up an APC card over SSH, and switches it over SNMP', () => {
    const { devices } = readOxidized('p:192.0.2.1:apc_aos:apc:hunter2', 'router.db');

    expect(devices[0]).toMatchObject({
      entry: { model: 'apc-rpdu2', ports: { ssh: 22 } },
      login: { username: 'apc', snmp: { version: 1, community: '' } },
    });
  });

  it('lists lines without a model', () => {
    const { left } = readOxidized('sw:ios', 'router.db');

    expect(left).toEqual([
      'sw: has no model; check its line, and the columns in the file of --oxidized-config',
    ]);
  });

  it('never quotes passwords in errors', () => {
    const config = { text: 'password: "hunter2\n  x: [', file: 'config' };
    const typo = { text: 'source: { csv: { map: { name: hunter2 } } }', file: 'config' };

    expect(() => readOxidized('', 'router.db', config)).toThrow(
      /^config: is not valid YAML or JSON$/,
    );
    expect(() => readOxidized('', 'router.db', typo)).toThrow(/^config: source\.csv\.map\.name: /);
    expect(() => readOxidized('', 'router.db', typo)).not.toThrow(/hunter2/);
  });

  it('has names that are valid in rack.yaml', () => {
    const text = [
      'core.a.example.com:192.0.2.1',
      'core.b.example.com:192.0.2.2',
      '192.0.2.3:192.0.2.3',
      'AP_4:192.0.2.4',
      'core:192.0.2.5',
      'core:192.0.2.6',
    ];

    const { devices, left } = readOxidized(
      text.map((line) => `${line}:eos:ann:x`).join('\n'),
      'router.db',
    );

    expect(devices.map(({ name }) => name)).toEqual([
      'core',
      'core-b-example-com',
      'device-192-0-2-3',
      'ap-4',
    ]);
    expect(left).toHaveLength(2);
  });
});

describe('RANCID', () => {
  it.each([';', ':'])('has devices that are up, separated by "%s"', (separator) => {
    const lines = [
      ['SW1.lab', 'cisco', 'up'],
      ['sw2.lab', 'hp', 'down', 'in repair'],
      ['fw.lab', 'fortigate', 'up'],
      ['r1.lab', 'juniper', 'UP'],
    ];
    const text = `# group lab\n${lines.map((line) => line.join(separator)).join('\n')}\n`;

    expect(readRancid(text)).toEqual({
      devices: [
        { name: 'sw1', writtenName: 'sw1.lab', host: 'sw1.lab', entry: { model: 'cisco-ios' } },
        { name: 'r1', writtenName: 'r1.lab', host: 'r1.lab', entry: { model: 'junos' } },
      ],
      left: ['sw2.lab: is not up', 'fw.lab: skolo has no model for fortigate'],
    });
  });
});

it('RANCID has the user of the command line', () => {
  const { devices } = readRancid('r1;juniper;up', 'rancid');

  expect(devices[0]?.login).toEqual({ username: 'rancid', password: '' });
});

describe('pdudaemon', () => {
  const snmp = { mib: 'PowerNet-MIB', onsetting: '1', offsetting: 2 };
  const one = (pdu: object) =>
    readPdudaemon(JSON.stringify({ daemon: { port: 16421 }, pdus: { 'pdu-1': pdu } }), 'p.conf');

  it.each([
    [
      { driver: 'apc7952', telnetport: 5023, username: 'apc', password: 'hunter2' },
      { model: 'apc-rpdu', outlets: 24 },
      { snmp: { version: 1, community: '' } },
    ],
    [
      { driver: 'ubntmfi3port', sshport: 2222, password: 'hunter2' },
      { model: 'mpower', port: 2222, outlets: 3 },
      { username: 'ubnt', password: 'hunter2', legacySsh: true },
    ],
    [{ driver: 'sonoff_s20_tasmota' }, { model: 'tasmota', outlets: 1 }, undefined],
    [
      { driver: 'snmpv1', community: 'private', controlpoint: 'pethPsePortAdminEnable', ...snmp },
      { model: 'snmp-poe' },
      { snmp: { version: 1, community: 'private' } },
    ],
  ])('has %o', (pdu, entry, login) => {
    const { devices, left } = one(pdu);

    expect(left).toEqual([]);
    expect(devices[0]?.entry).toEqual(entry);
    expect(devices[0]?.login).toEqual(login);
  });

  it.each([
    [{ driver: 'localcmdline', cmd_on: 'echo %s' }, 'localcmdline'],
    [{ driver: 'snmpv3', controlpoint: 'pethPsePortAdminEnable' }, 'snmpv3 pethPsePortAdminEnable'],
    [{ driver: 'snmpv1', community: 'x', controlpoint: 'sPDUOutletCtl' }, 'snmpv1 sPDUOutletCtl'],
  ])('has no model for %o', (pdu, name) => {
    expect(one(pdu)).toEqual({ devices: [], left: [`pdu-1: skolo has no model for ${name}`] });
  });

  it('lists the aliases', () => {
    const pdus = { 'strip.lab': { driver: 'ubntmfi6port', ip: '192.0.2.7' } };
    const aliases = { board: { hostname: 'strip.lab', port: 4 } };

    const { devices, left } = readPdudaemon(JSON.stringify({ pdus, aliases }), 'p.conf');

    expect(devices[0]).toMatchObject({ name: 'strip', host: '192.0.2.7' });
    expect(left).toEqual([
      'board: is an alias; if it is a machine, run skolo inventory add board --kind host --set power=strip/4',
    ]);
  });
});
