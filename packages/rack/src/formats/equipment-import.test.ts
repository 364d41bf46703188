import { models } from '@skolo/equipment/models';
import { describe, expect, it } from 'vitest';
import { readOxidized, readPdudaemon, readRancid } from './equipment-import.ts';
import { controlPoints, pdudaemonDrivers } from './foreign-models.ts';

it('names of drivers and objects lead to models', () => {
  const known = Object.values(pdudaemonDrivers).map(({ model }) => model);

  expect([...known, ...Object.values(controlPoints)].filter((name) => !models.has(name))).toEqual(
    [],
  );
});

it('a name elsewhere is that of one model', () => {
  const all = [...models.values()].flatMap(({ name, elsewhere = [] }) => [name, ...elsewhere]);

  expect(all.filter((name, at) => all.indexOf(name) !== at)).toEqual([]);
});

describe('Oxidized', () => {
  it('has the usual columns', () => {
    const text =
      '# routers\n\nr1.example.com:192.0.2.1:IOS:ann:hunter2\nfw:192.0.2.2:zhoneolt:ann:hunter2\n';

    expect(readOxidized(text, 'router.db')).toEqual({
      equipment: [
        {
          name: 'r1',
          writtenName: 'r1.example.com',
          where: 'router.db:3',
          host: '192.0.2.1',
          entry: { model: 'cisco-ios' },
          login: { username: 'ann', password: 'hunter2' },
        },
      ],
      left: [
        'router.db:4: skolo does not support the model in column 3; if it has a command line, describe it with `model: generic` (docs/reference/rack-yaml.md)',
      ],
      bad: [],
      aliases: [],
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

    const { equipment } = readOxidized(text, 'router.db', { text: config, file: 'config' });

    expect(equipment.map(({ name, entry, login }) => [name, entry, login])).toEqual([
      ['a', { model: 'cisco-ios' }, { username: 'lab', password: '', enablePassword: 'secret' }],
      ['b', { model: 'routeros' }, { username: 'admin', password: '' }],
      ['c', { model: 'junos' }, { username: 'oxidized', password: '' }],
      ['d', { model: 'eos' }, { username: 'dan', password: '' }],
    ]);
  });

  it('has ports and other variables of its rows, groups, models and of all', () => {
    const config = `
username: oxidized
vars: { enable: all }
groups:
  gw: { username: gwuser, vars: { ssh_port: 2204 }, models: { ios: { vars: { ssh_port: "2205" } } } }
models:
  routeros: { username: nil }
  apc_aos: { vars: { ssh_port: 2206 } }
  junos: { vars: { ssh_proxy: gate.example.com } }
source:
  csv:
    delimiter: !ruby/regexp /:/
    map: { name: 0, ip: 1, model: 2, username: 3, password: 4, group: 6 }
    vars_map: { ssh_port: 5, enable: 7 }
`;
    const text = `r1:192.0.2.71:routeros:admin:pw:2202:gw:
r2:192.0.2.72:ios:admin:pw:22::en
r3:192.0.2.73:routeros:::::
r4:192.0.2.74:eos:nil:nil:nil:gw:nil
r5:192.0.2.75:ios:::nil:gw:
r6:192.0.2.76:apc_aos:admin:pw:::
r7:192.0.2.77:junos:admin:pw:::
r8:192.0.2.78:ios:admin:pw:ssh::
"r9":192.0.2.79:ios:admin:pw:::
r10:192.0.2.80:ios:admin:pw:::true
`;

    const { equipment, bad } = readOxidized(text, 'router.db', { text: config, file: 'config' });

    expect(equipment.map(({ name, entry, login }) => [name, entry, login])).toEqual([
      [
        'r1',
        { model: 'routeros', port: 2202 },
        { username: 'admin', password: 'pw', enablePassword: 'all' },
      ],
      ['r2', { model: 'cisco-ios' }, { username: 'admin', password: 'pw', enablePassword: 'en' }],
      [
        'r4',
        { model: 'eos', port: 2204 },
        { username: 'gwuser', password: '', enablePassword: 'all' },
      ],
      [
        'r5',
        { model: 'cisco-ios', port: 2205 },
        { username: 'gwuser', password: '', enablePassword: 'all' },
      ],
      [
        'r6',
        { model: 'apc-rpdu2', ports: { ssh: 2206 } },
        {
          username: 'admin',
          password: 'pw',
          enablePassword: 'all',
          snmp: { version: 1, community: '' },
        },
      ],
    ]);
    expect(bad).toEqual([
      'router.db:3: the user in the config is the text "nil"; write its name',
      'router.db:7: ssh_proxy is not imported; add this equipment with skolo inventory add',
      'router.db:8: ssh_port is not a number from 1 to 65535; fix it',
      'router.db:9: Oxidized takes quotes as part of a value; remove them',
      'router.db:10: `enable: true`, without a password, is not imported; add this equipment with skolo inventory add',
    ]);
  });

  it('backs up an APC card over SSH, and switches it over SNMP', () => {
    const { equipment } = readOxidized('p:192.0.2.1:apc_aos:apc:hunter2', 'router.db');

    expect(equipment[0]).toMatchObject({
      entry: { model: 'apc-rpdu2', ports: { ssh: 22 } },
      login: { username: 'apc', snmp: { version: 1, community: '' } },
    });
  });

  it('lists lines without a model', () => {
    const { bad } = readOxidized('sw:ios\n:192.0.2.1:ios', 'router.db');

    expect(bad).toEqual([
      'router.db:1: the model is missing; check the row, and the columns in the --oxidized-config file',
    ]);
  });

  it.each([
    ['sw:ios:192.0.2.1:ann:hunter2', {}],
    ['hunter2:sw', {}],
    ['fw 1:192.0.2.1:hunter2', {}],
    ['sw:hunter2:ios:ann', { bad: [], left: [] }],
    ['hunter2!::ios', {}],
    ['-:192.0.2.1:ios:hunter2:hunter2', {}],
  ])('never quotes a column that may be a password: %s', (row, expected) => {
    const { bad, left } = readOxidized(row, 'router.db');

    expect({ bad, left }).toMatchObject(expected);
    expect(JSON.stringify([bad, left])).not.toContain('hunter2');
    for (const line of [...bad, ...left]) expect(line).toMatch(/^router\.db:1: /);
  });

  it('never quotes passwords in errors', () => {
    const config = { text: 'password: "hunter2\n  x: [', file: 'config' };
    const typo = { text: 'source: { csv: { map: { name: hunter2 } } }', file: 'config' };

    expect(() => readOxidized('', 'router.db', config)).toThrow(
      /^config:2: not valid YAML or JSON; fix it$/,
    );
    expect(() => readOxidized('', 'router.db', typo)).toThrow(/^config: source\.csv\.map\.name: /);
    expect(() => readOxidized('', 'router.db', typo)).not.toThrow(/hunter2/);
    typo.text = 'source: { csv: { delimiter: /(/, map: { name: 0 } } }';
    expect(() => readOxidized('', 'router.db', typo)).toThrow(/^config: source\.csv\.delimiter: /);
  });

  it('has names that are valid in rack.yaml', () => {
    const text = [
      'core.a.example.com:192.0.2.1',
      'core.b.example.com:192.0.2.2',
      '192.0.2.3:192.0.2.3',
      'AP_4:192.0.2.4',
      'xn--bcher-kva.example.com:192.0.2.7',
      'core:192.0.2.5',
      'core:192.0.2.6',
    ];

    const { equipment, bad } = readOxidized(
      text.map((line) => `${line}:eos:ann:x`).join('\n'),
      'router.db',
    );

    expect(equipment.map(({ name }) => name)).toEqual([
      'core',
      'core-b-example-com',
      'device-192-0-2-3',
      'ap-4',
      'xn--bcher-kva',
    ]);
    expect(bad).toEqual([
      expect.stringMatching(/^router\.db:6: the name is used twice/),
      expect.stringMatching(/^router\.db:7: /),
    ]);
  });
});

it.each([';', ':'])('RANCID has devices that are up, separated by "%s"', (separator) => {
  const lines = [
    ['SW1.lab', 'cisco', 'up'],
    ['sw2.lab', 'hp', 'down', 'in repair'],
    ['fw.lab', 'xirrus', 'up'],
    ['r1.lab', 'juniper', 'UP'],
  ];
  const text = `# group lab\n${lines.map((line) => line.join(separator)).join('\n')}\n`;

  const { equipment, ...others } = readRancid(text, 'router.db');

  expect(equipment).toEqual([
    {
      name: 'sw1',
      writtenName: 'sw1.lab',
      where: 'router.db:2',
      host: 'sw1.lab',
      entry: { model: 'cisco-ios' },
    },
    {
      name: 'r1',
      writtenName: 'r1.lab',
      where: 'router.db:5',
      host: 'r1.lab',
      entry: { model: 'junos' },
    },
  ]);
  expect(others).toEqual({
    left: [
      'router.db:3: not marked as up',
      expect.stringMatching(/^router\.db:\d+: skolo does not support the model in column 2; /),
    ],
    bad: [],
    aliases: [],
  });
});

it('RANCID has rows in another format: says how to fix them, and keeps their passwords', () => {
  const text = 'r1;juniper;up\nsw1,cisco,up\nr2:192.0.2.1:ios:ann:hunter2\nr3 juniper hunter2\n';

  const { equipment, bad } = readRancid(text, 'router.db');

  expect(equipment.map(({ name }) => name)).toEqual(['r1']);
  const remedy =
    "expected NAME;TYPE;STATE, as in RANCID's router.db; fix the row, or use --oxidized if Oxidized uses this file";
  expect(bad).toEqual([2, 3, 4].map((line) => `router.db:${line}: ${remedy}`));
});

it.each(['hunter2;cisco;down', 'sw;hunter2;up', 'sw;cisco;hunter2', '2001:hunter2::7:cisco:up'])(
  'RANCID lists no column that may be a password: %s',
  (row) => {
    const { equipment, bad, left } = readRancid(row, 'router.db');

    expect(equipment).toEqual([]);
    expect([...bad, ...left]).toEqual([expect.stringMatching(/^router\.db:1: (?!.*hunter2)/)]);
  },
);

it('RANCID has the user of the command line', () => {
  const { equipment } = readRancid('r1;juniper;up', 'router.db', 'rancid');

  expect(equipment[0]?.login).toEqual({ username: 'rancid', password: '' });
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
      { driver: 'tasmota', port_count: 4, username: 'user', password: 'hunter2' },
      { model: 'tasmota', outlets: 4 },
      { username: 'user', password: 'hunter2' },
    ],
    [
      { driver: 'apc9210' },
      { model: 'apc-masterswitch', outlets: 8 },
      { snmp: { version: 1, community: '' } },
    ],
    [
      { driver: 'cyberpower81001' },
      { model: 'cyberpower-pdu', outlets: 8 },
      { snmp: { version: 1, community: '' } },
    ],
    [
      { driver: 'snmpv1', community: 'private', controlpoint: 'sPDUOutletCtl', ...snmp },
      { model: 'apc-masterswitch' },
      { snmp: { version: 1, community: 'private' } },
    ],
    [
      { driver: 'snmpv1', community: 'private', oid: '.1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.*' },
      { model: 'apc-rpdu' },
      { snmp: { version: 1, community: 'private' } },
    ],
    [
      { driver: 'snmpv1', community: 'private', oid: '.1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.*' },
      { model: 'apc-rpdu2' },
      { snmp: { version: 1, community: 'private' } },
    ],
    [
      { driver: 'servertechpro2', password: 'joker' },
      { model: 'servertech-jaws' },
      { username: 'admin', password: 'joker' },
    ],
    [
      { driver: 'snmpv1', community: 'private', oid: '.1.3.6.1.2.1.105.1.1.1.3.1.*' },
      { model: 'snmp-poe' },
      { snmp: { version: 1, community: 'private' } },
    ],
    [
      { driver: 'snmpv1', community: 'private', oid: '1.3.6.1.4.1.13742.6.4.1.2.1.2.1.*' },
      { model: 'raritan-px2' },
      { snmp: { version: 1, community: 'private' } },
    ],
    [
      { driver: 'snmpv1', community: 'private', controlpoint: 'pethPsePortAdminEnable', ...snmp },
      { model: 'snmp-poe' },
      { snmp: { version: 1, community: 'private' } },
    ],
  ])('has %o', (pdu, entry, login) => {
    const { equipment, left } = one(pdu);

    expect(left).toEqual([]);
    expect(equipment[0]?.entry).toEqual(entry);
    expect(equipment[0]?.login).toEqual(login);
  });

  it('has the switches of ESPHome, which pdudaemon numbers', () => {
    const esp = {
      driver: 'esphome-http',
      ip: '192.0.2.9',
      username: 'u',
      password: 'hunter2',
      switch_ids: ['relay_1', 'lamp'],
    };
    const pdus = { esp, 'p-2': { driver: 'apc7952', ip: '192.0.2.8' } };
    const aliases = { board: { hostname: 'esp', port: 2 }, b2: { hostname: 'p-2', port: 2 } };

    const found = readPdudaemon(JSON.stringify({ pdus, aliases }), 'p.conf');

    expect(found.equipment[0]).toMatchObject({
      name: 'esp',
      entry: { model: 'esphome' },
      login: { username: 'u', password: 'hunter2' },
    });
    expect(found.aliases.map(({ outlet }) => outlet)).toEqual(['lamp', '2']);
    expect(found.left).toEqual([
      'p.conf: pdus.esp: its port numbers; in clients, use relay_1 instead of 1, lamp instead of 2',
    ]);
  });

  it.each([
    [{ driver: 'localcmdline', cmd_on: 'echo %s' }, 'localcmdline'],
    [{ driver: 'snmpv3', controlpoint: 'pethPsePortAdminEnable' }, 'snmpv3 pethPsePortAdminEnable'],
    [{ driver: 'snmpv1', community: 'x', controlpoint: 'ledState' }, 'snmpv1 ledState'],
    [
      { driver: 'snmpv1', community: 'x', oid: '.1.3.6.1.4.1.9999.*' },
      'snmpv1 .1.3.6.1.4.1.9999.*',
    ],
  ])('has no model for %o', (pdu, name) => {
    expect(one(pdu)).toMatchObject({
      equipment: [],
      left: [
        `p.conf: pdus.pdu-1: skolo does not support model ${name}; to switch it with a program, use \`model: command-switch\` (docs/reference/rack-yaml.md)`,
      ],
    });
  });

  it('has aliases, and lists entries with errors', () => {
    const pdus = {
      'strip.lab': { driver: 'ubntmfi6port', ip: '192.0.2.7' },
      bad: { driver: 'apc7952', sshport: 'hunter2' },
    };
    const aliases = {
      'Board 1': { hostname: 'strip.lab', port: 4 },
      odd: { hostname: 'strip.lab' },
    };

    const { equipment, ...others } = readPdudaemon(JSON.stringify({ pdus, aliases }), 'p.conf');

    expect(equipment).toMatchObject([{ name: 'strip', host: '192.0.2.7' }]);
    expect(others).toEqual({
      left: [],
      bad: [
        'p.conf: pdus.bad: sshport: Invalid input: expected number, received string; fix it',
        'p.conf: aliases.odd: port: Invalid input; fix it',
      ],
      aliases: [
        { alias: 'board-1', where: 'p.conf: aliases.Board 1', equipment: 'strip.lab', outlet: '4' },
      ],
    });
  });
});
