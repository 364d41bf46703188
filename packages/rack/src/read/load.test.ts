import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { formatIssue, RackError } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { expandNames } from '../ranges/ranges.ts';
import type { ServiceName } from '../schema/service-ports.ts';
import { defaultSettings } from '../schema/settings/settings.ts';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { exampleRack, exampleText, smallRack } from '../testing/example.ts';
import { parseRack, rackOversights, readRack } from './load.ts';

const small = 'rack: small\njumphost: { name: jumphost, address: 192.168.1.8 }\n';

function parse(text: string, strictFor?: ServiceName) {
  return parseRack(text, { file: 'rack.yaml', ...(strictFor && { strictFor }) });
}

function issuesOf(run: () => unknown): string[] {
  try {
    run();
    return [];
  } catch (error) {
    if (error instanceof RackError) return error.issues.map(formatIssue);
    throw error;
  }
}

describe('parseRack', () => {
  it('reads the example of the design, flow maps with ranges and all', () => {
    const text = readFileSync(new URL('../../testdata/design.yaml', import.meta.url), 'utf8');

    const rack = parse(text);

    expect(rack.machines.size).toBe(41);
    expect(rack.machines.get('skia-rpi2-rack4-shelf1-017')).toMatchObject({
      address: '192.168.1.117',
      power: [{ device: 'switch-1', outlet: '17' }],
      uplink: { device: 'switch-1', outlet: '17' },
      devices: [{ fullName: 'skia-rpi2-rack4-shelf1-017-device', power: { hub: '1-1', port: 2 } }],
      metadata: { tags: ['bot', 'rack4'], attributes: { pool: 'phones' } },
    });
    expect(rack.equipment.get('switch-2')).toMatchObject({
      model: 'edgeswitch',
      transport: 'ssh',
      address: '192.168.1.12',
      uplink: { device: 'router', outlet: '' },
      power: [{ device: 'pdu-1', outlet: '3' }],
      options: { portCount: 48 },
    });
    expect(rack.identities.get('bots')).toMatchObject({
      projectNumber: '123456789012',
      credentials: { kind: 'serviceAccountKey', file: 'secrets/bots.json' },
      universeDomain: 'googleapis.com',
    });
    expect(rack.logins.get('switches')).toMatchObject({
      password: { file: 'secrets/switch' },
      enablePassword: { env: 'SWITCH_ENABLE' },
      legacySsh: true,
    });
    expect(rack.services['metadata-server'].callers).toEqual([
      { cidr: '10.42.0.0/24', identity: 'jumphost' },
    ]);
  });

  it('fills in defaults', () => {
    expect(smallRack()).toMatchObject({
      name: 'small',
      timezone: 'UTC',
      network: { domain: 'lan' },
      jumphost: { aliases: [], power: [] },
      access: { anonymousRead: [] },
      services: defaultSettings(),
      dir: '/etc/skolo',
    });
  });

  it('keeps numbers of 64 bits exact, and writes values in their one way', () => {
    const rack = parse(
      `${small}equipment:
  switch-1: { model: edgeswitch, address: "FD00:0:0::1", port: 2201, mac: DC-A6-32-00-01-0F }
  bmc-1: { model: ipmi, address: "::ffff:192.168.1.9" }
machines:
  a: { kind: host, metadata: { id: "18446744073709551615" }, power: bmc-1, uplink: switch-1/0/07 }
`.replace('0/07', '0/7'),
    );

    expect(rack.equipment.get('switch-1')).toMatchObject({
      address: 'fd00::1',
      ports: { ssh: 2201 },
      mac: 'dc:a6:32:00:01:0f',
    });
    expect(rack.equipment.get('bmc-1')?.address).toBe('192.168.1.9');
    expect(rack.machines.get('a')).toMatchObject({
      metadata: { id: '18446744073709551615' },
      power: [{ device: 'bmc-1', outlet: 'chassis' }],
      uplink: { device: 'switch-1', outlet: '7' },
    });
  });

  it('advances all ranges and lists of an entry together', () => {
    const rack = parse(`${small}machines:
  m-[1-3]:
    kind: host
    address: 192.168.1.[11-13]
    port: "[2201-2203]"
    label: [one, two, three]
    shelf: [left, "right-[1-2]"]
    metadata: { description: "slot [4-6]", tags: ["t[1-3]", lab], id: [7, 8, 9] }
    devices:
      - { name: phone, serial: "S[01-03]" }
`);

    expect(
      [...rack.machines.values()].map(({ label, shelf, ports }) => [label, shelf, ports]),
    ).toEqual([
      ['one', 'left', { ssh: 2201 }],
      ['two', 'right-1', { ssh: 2202 }],
      ['three', 'right-2', { ssh: 2203 }],
    ]);
    expect(rack.machines.get('m-2')).toMatchObject({
      metadata: { description: 'slot 5', tags: ['t2', 'lab'], id: '8' },
      devices: [{ fullName: 'm-2-phone', serial: 'S02' }],
    });
  });

  it('leaves letters of the private use area alone', () => {
    const text = `${small}machines: { a: { kind: host, label: "\uE6A0[1]\uE6A1", shelf: "\\\\[1-2]" } }\n`;

    expect(parse(text).machines.get('a')).toMatchObject({ label: '\uE6A01\uE6A1', shelf: '[1-2]' });
  });

  it('makes the same rack of ranges and of single entries', () => {
    const shape = fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      from: fc.integer({ min: 1, max: 200 }),
      outlet: fc.integer({ min: 1, max: 30 }),
    });
    const switches =
      'equipment: { switch-1: { model: edgeswitch, address: 192.168.2.1 } }\nmachines:\n';
    const entry = (name: string, address: string, outlet: string) =>
      `  ${name}: { kind: rpi, address: "192.168.1.${address}", power: switch-1/${outlet}, uplink: switch-1/${outlet} }\n`;

    fc.assert(
      fc.property(shape, ({ count, from, outlet }) => {
        const numbers = Array.from({ length: count }, (_, i) => i);
        const range = (first: number) => `[${first}-${first + count - 1}]`;
        const head = 'rack: small\njumphost: { name: jumphost, address: 192.168.3.1 }\n';

        const together = parse(
          head + switches + entry(`m-${range(1)}`, range(from), range(outlet)),
        );
        const singly = parse(
          head +
            switches +
            numbers.map((i) => entry(`m-${1 + i}`, `${from + i}`, `${outlet + i}`)).join(''),
        );

        expect(together).toEqual(singly);
      }),
      runs(50),
    );
  });
});

describe('parseRack of what is not right', () => {
  it('throws RackError and nothing else, for any text', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.stringMatching(/^[a-z:\-[\]{} \n&*!|>"'#,0-9]{0,60}$/),
      fc.constantFrom(
        '&a [*a]',
        '[[[[',
        '{{{',
        '&a {b: *a}',
        '? x',
        '!!binary x',
        '\0',
        '%YAML 9.9\n---\n',
        '*x',
      ),
      fc.constantFrom('[', '{a: ', '- ', '! ').map((part) => part.repeat(5_000)),
    );

    fc.assert(
      fc.property(text, (text) => {
        expect(issuesOf(() => parse(text))).not.toEqual([]);
      }),
      runs(300),
    );
  });

  it('throws RackError and nothing else, for any value in place of any part', () => {
    const places = [
      'rack',
      'jumphost',
      'identities',
      'access',
      'logins',
      'equipment',
      'machines',
      'services',
    ];
    const names = fc.constantFrom(
      'a',
      'rpi-[1-3]',
      '__proto__',
      'constructor',
      'none',
      'router-backup',
      'model',
      '',
    );
    const value = fc.anything({
      key: names,
      withBigInt: false,
      maxDepth: 4,
      values: [
        fc.string(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.constantFrom('a/[1-3]', 'usb/1.1', 'edgeswitch', '10.0.0.1'),
      ],
    });

    fc.assert(
      fc.property(fc.constantFrom(...places), value, (place, value) => {
        const text = stringify({
          rack: 'small',
          jumphost: { name: 'jumphost', address: '192.168.1.8' },
          [place]: value,
        });

        expect(
          issuesOf(() => parse(text)).every((issue) => /^rack\.yaml:\d+:\d+ ./.test(issue)),
        ).toBe(true);
      }),
      runs(300),
    );
  });

  it('throws RackError and nothing else, for a file that somebody mutilated', () => {
    const cut = fc.record({
      at: fc.nat(exampleText.length),
      length: fc.nat(30),
      put: fc.oneof(
        fc.string({ maxLength: 5 }),
        fc.constantFrom('\n', '  ', ': ', '[', '}', '"', '- '),
      ),
    });

    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 3 }), (cuts) => {
        const text = cuts.reduce(
          (text, { at, length, put }) => text.slice(0, at) + put + text.slice(at + length),
          exampleText,
        );

        expect(
          issuesOf(() => parse(text)).every((issue) => /^rack\.yaml:\d+:\d+ ./.test(issue)),
        ).toBe(true);
      }),
      runs(100),
    );
  });

  it.each([
    ['too long', `# ${'x'.repeat(4_000_001)}`, /the limit is 4000000/],
    [
      '10,000 names with a long text in each',
      `${small}machines:\n  m-[1-10000]: { kind: host, label: "[1-10000] ${'x'.repeat(10_000)}" }`,
      /too large to expand to 10000 names/,
    ],
    [
      'names for ever',
      `${small}machines:\n  a-[1-9000]: { kind: host }\n  b-[1-9000]: { kind: host }`,
      /more than 10000 entries/,
    ],
  ])('bounds a file with %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('names the place of values that come from an alias', () => {
    const text = `${small}machines:\n  a: &a { kind: rpi, shelf: 1 }\n  b: *a\n`;

    expect(issuesOf(() => parse(text))).toEqual([
      'rack.yaml:4:29 machines.a.shelf: expected text, found the number 1; put it in quotes: "1"',
      'rack.yaml:4:29 machines.b.shelf: expected text, found the number 1; put it in quotes: "1"',
    ]);
  });
});

describe('parseRack for one service', () => {
  const newer = `${small}services:
  router-backup: { concurrency: 7, moonPhase: full, schedule: [1, 2], retention: { days: 30, moons: 2 } }
  metadata-server: { rateLimit: { burst: 5 } }
  time-travel: { when: tomorrow }
machines:
  a: { kind: rpi, swarming: { server: "https://swarming.example.com", warp: 9 } }
`;

  it('leaves out what it does not understand in the sections of others', () => {
    const { services, machines } = parse(newer, 'metadata-server');

    expect(services['router-backup']).toMatchObject({
      concurrency: 7,
      schedule: '15 3 * * *',
      retention: { days: 30, versions: 30 },
    });
    expect(services['metadata-server'].rateLimit.burst).toBe(5);
    expect(machines.get('a')?.swarming).toEqual({ server: 'https://swarming.example.com' });
  });

  it('is strict about its own', () => {
    expect(issuesOf(() => parse(newer, 'router-backup'))).toEqual([
      expect.stringContaining('services.router-backup.moonPhase: unknown key "moonPhase"'),
      expect.stringContaining('services.router-backup.schedule: expected text, found a list'),
      expect.stringContaining('services.router-backup.retention.moons: unknown key "moons"'),
    ]);
    expect(issuesOf(() => parse(newer, 'swarming-client'))).toEqual([
      expect.stringContaining('machines.a.swarming.warp: unknown key "warp"'),
    ]);
  });

  it('is strict about everything else, whoever asks', () => {
    expect(
      issuesOf(() => parse(`${small}machines: { a: { kind: rip } }`, 'metadata-server')),
    ).toEqual([
      'rack.yaml:3:24 machines.a.kind: expected one of rpi, host, found "rip"; did you mean "rpi"?',
    ]);
  });

  it('is strict about all where nobody asks', () => {
    const issues = issuesOf(() => parse(newer));

    expect(issues).toHaveLength(5);
    expect(issues).toContainEqual(expect.stringContaining('unknown service "time-travel"'));
  });

  it('takes a section that is nonsense for its defaults', () => {
    const { services } = parse(
      `${small}services: { router-backup: [nonsense] }`,
      'metadata-server',
    );

    expect(services).toEqual(defaultSettings());
  });
});

describe('readRack', () => {
  it('reads a file, and remembers its folder', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'rack.yaml'), small);

    expect(await readRack(join(folder, 'rack.yaml'))).toMatchObject({ name: 'small', dir: folder });
  });

  it('throws RackError where there is no file', async () => {
    await expect(readRack('/nowhere/rack.yaml')).rejects.toThrow(
      new RackError([
        {
          file: '/nowhere/rack.yaml',
          line: 1,
          column: 1,
          path: '',
          message: 'no such file',
        },
      ]),
    );
  });
});

it('time-outs of the backup may be those of one device', () => {
  const rack = parse(`${small}equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, backup: { totalSeconds: 1800 } }
  switch-2: { model: edgeswitch, address: 192.168.1.12 }
`);

  const equipment = [...rack.equipment.values()];
  expect(equipment.map(({ backup, backupLimits }) => [backup, backupLimits])).toEqual([
    [true, { totalSeconds: 1800 }],
    [true, undefined],
  ]);
  expect(
    issuesOf(() =>
      parse(`${small}equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, backup: { totalSecond: 9 } }
`),
    ),
  ).toEqual([expect.stringContaining('equipment.switch-1.backup')]);
  expect(
    issuesOf(() =>
      parse(`${small}equipment:
  switch-[1-2]: { model: edgeswitch, address: 192.168.1.1[1-2], backup: { totalSeconds: 20 } }
`),
    ),
  ).toEqual([
    expect.stringContaining(
      'backup.totalSeconds: idleSeconds (30) is greater than totalSeconds (20)',
    ),
  ]);
});

function rackWarnings(rack: Rack) {
  const { pasted, warnings } = rackOversights(rack);
  return [...pasted, ...warnings].sort((a, b) => a.line - b.line);
}

describe('rackOversights', () => {
  it('names likely oversights, with their lines', () => {
    const rack = parse(`${small}identities:
  bots: { project: my-project, credentials: { fixed: secrets/token } }
logins:
  switches: { username: ubnt, password: secrets/switch }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11 }
  pdu-1: { model: synaccess, address: 192.168.1.12 }
  router: { model: frr, address: 192.168.1.1, backup: false, login: switches }
machines:
  rpi-[1-3]: { kind: rpi }
services:
  power-cycle-daemon: { repair: { internet: { enabled: true } } }
  swarming-client: { servers: [{ prefix: a-, server: "https://swarming.example.com" }] }
`);

    expect(rackWarnings(rack).map(formatIssue)).toEqual([
      "rack.yaml:2:1 jumphost: has no `power`, so the power-cycle daemon cannot protect the jumphost's power supply",
      "rack.yaml:2:1 jumphost: has no `uplink`, so the power-cycle daemon cannot protect the jumphost's network connection",
      'rack.yaml:4:3 identities.bots: is not used',
      'rack.yaml:4:3 identities.bots: has no `email`, and the credentials (fixed) might not provide the address, although clients request it',
      'rack.yaml:8:3 equipment.switch-1: has no `login`, so services cannot sign in over ssh',
      'rack.yaml:9:3 equipment.pdu-1: is not backed up: it cannot export its configuration',
      'rack.yaml:10:47 equipment.router.backup: is false, so it is not backed up',
      'rack.yaml:12:3 machines.rpi-[1-3]: has no `power`, so it cannot be power-cycled',
      'rack.yaml:12:3 machines.rpi-[1-3]: has no `uplink`, so its switch is unknown',
      'rack.yaml:12:3 machines.rpi-[1-3]: has no `address`, so the metadata server cannot identify the machine, and power cycles cannot verify that it is up again',
      'rack.yaml:12:3 machines.rpi-[1-3]: has no `identity` and rack.yaml has no `defaultIdentity`, so it does not receive a token',
      'rack.yaml:14:45 services.power-cycle-daemon.repair.internet: has no effect, because no equipment with `uplink: internet` is powered by an outlet that can cycle autonomously',
      'rack.yaml:15:31 services.swarming-client.servers: has no `prefix: ""`, so machines without a matching prefix do not run a bot',
    ]);
  });

  it('names descriptions by which a message may be stored as a configuration', () => {
    const rack = parse(`${small}models:
  lab/unsure: { base: generic, commands: [show], volatile: [time] }
  lab/sure: { base: generic, commands: [show], has: '^hostname ' }
  lab/loose: { base: generic, commands: [show], has: '.*' }
logins: { all: { username: ann, privateKey: secrets/key } }
equipment:
  unsure: { model: generic, address: 192.168.1.11, login: all, commands: [show], complete: twice }
  off: { model: generic, address: 192.168.1.12, login: all, commands: [show], backup: false }
  manual: { model: generic, address: 192.168.1.13, login: all, commands: [show], has: { manual: '^hostname ' } }
  ended: { model: generic, address: 192.168.1.14, login: all, commands: [show], complete: { end: '^end$' } }
  lab-[1-2]: { model: lab/unsure, address: '192.168.1.[15-16]', login: all }
  lab-3: { model: lab/sure, address: 192.168.1.17, login: all }
  table: { model: onyx, address: 192.168.1.18, login: all }
  prose: { model: generic, address: 192.168.1.19, login: all, commands: [show], has: { manual: 'config|^set ' } }
  empty: { model: generic, address: 192.168.1.20, login: all, commands: [show], complete: { end: '^(end)?$' } }
  slow: { model: generic, address: 192.168.1.21, login: all, commands: [show], has: '^(\\S+\\s*)+[{]$' }
`);

    const messages = rackWarnings(rack).map(formatIssue);
    const what =
      'has neither `has` nor `complete: { end: REGEX }`, so an error message may be stored as its configuration';
    const loose = (line: string, verb = 'has') =>
      `${verb} \`${line}\`, which also matches an empty line or a message, so an error message may be stored as its configuration`;
    const found = messages.filter((message) => /an error message|a sign of/.test(message));
    expect(found).toEqual([
      `rack.yaml:4:3 models."lab/unsure": ${what}`,
      `rack.yaml:6:3 models."lab/loose": ${loose('.*')}`,
      `rack.yaml:9:3 equipment.unsure: ${what}`,
      `rack.yaml:16:3 equipment.prose: ${loose('config|^set ')}`,
      `rack.yaml:17:3 equipment.empty: ${loose('^(end)?$', 'ends with')}`,
      String.raw`rack.yaml:18:3 equipment.slow: has a sign of which nobody knows what it matches: the regular expression /^(\S+\s*)+[{]$/ takes too long; write one that can match a text in only one way`,
    ]);
  });

  it('names phones that a cycle of another phone turns off, because they share a switch', () => {
    const machine = (name: string, left: string, right = '') =>
      `  ${name}: { kind: rpi, devices: [{ name: left, kind: android, power: ${left} }, { name: right, kind: android${right} }] }\n`;
    const rack = parse(`${small}machines:
${machine('on-board', 'usb/1-1.2')}${machine('hub', 'usb/1-1.3.2')}${machine('verified', 'usb/1-1.2, powerVerified: true')}${machine('both', 'usb/1-1.2', ', power: usb/1-1.3.2')}`);

    const shared = rackWarnings(rack).filter(({ message }) => message.includes('also cut'));
    expect(shared.map(formatIssue)).toEqual([
      'rack.yaml:4:85 machines.on-board.devices[1]: has no `power`, but a power cycle of on-board-left may also cut its power, because a Raspberry Pi switches all its USB ports together (see `powerVerified`)',
    ]);
  });

  it.each([
    ['alert-to-pubsub', 'services: { alert-to-pubsub: { project: my-project } }'],
    [
      'router-backup',
      `logins: { switches: { username: ann, password: secrets/switch } }
equipment: { switch-1: { model: eos, address: 127.0.0.3, login: switches } }`,
    ],
    [
      'machine-state',
      `machines: { rpi-1: { kind: rpi, address: 127.0.0.4 } }
services: { machine-state: {} }`,
    ],
    [
      'agents without a bot',
      `machines: { rpi-1: { kind: rpi, address: 127.0.0.4 } }
services:
  metadata-server: {}
  swarming-client: { bot: none }`,
    ],
  ])('has no warning about other services, where a rack uses only %s', (_, text) => {
    const jumphost = 'rack: r\njumphost: { name: jumphost, address: 127.0.0.2 }\n';

    expect(rackWarnings(parse(`${jumphost}${text}`)).map(formatIssue)).toEqual([]);
  });

  it.each([
    ['five devices', 'switches: { username: u, password: secrets/p }', 'switch-[1-5]', []],
    [
      'six devices',
      'switches: { username: u, password: secrets/p }',
      'switch-[1-6]',
      [
        'logins.switches.password: is the password of 6 hosts, and each of them, if compromised, learns it; use several logins, or `privateKey`',
      ],
    ],
    [
      'a key',
      'switches: { username: u, password: secrets/p, privateKey: secrets/k }',
      'switch-[1-6]',
      [],
    ],
    ['only a key', 'switches: { username: u, privateKey: secrets/k }', 'switch-[1-6]', []],
    [
      'telnet and ssh',
      'switches: { username: u, password: secrets/p }',
      'switch-[1-2], transport: [telnet, ssh]',
      [
        'logins.switches.password: is also used without telnet, but telnet sends it unencrypted; use a separate login for telnet',
      ],
    ],
    [
      'telnet and a key over ssh',
      'switches: { username: u, password: secrets/p, privateKey: secrets/k }',
      'switch-[1-2], transport: [telnet, ssh]',
      [],
    ],
    [
      'telnet',
      'switches: { username: u, password: secrets/p }',
      'switch-[1-2], transport: [telnet, telnet]',
      [],
    ],
  ])('names passwords that many devices learn: %s', (_, login, devices, expected) => {
    const [range = '', transports] = devices.split(', transport: ');
    const all = expandNames(range);
    const kinds = transports?.slice(1, -1).split(', ') ?? all.map(() => 'ssh');
    const entries = all.map(
      (name, at) =>
        `  ${name}: { model: edgeswitch, address: 192.168.1.1${at}, login: switches, transport: ${kinds[at]} }`,
    );
    const rack = parse(`${small}logins: { ${login} }\nequipment:\n${entries.join('\n')}\n`);

    const found = rackWarnings(rack).map((each) => formatIssue(each).replace(/^\S+ /, ''));

    expect(found.filter((line) => line.includes('.password'))).toEqual(expected);
  });

  it('names identities whose e-mail address may be unknown', () => {
    const rack = parse(`rack: r
jumphost: { name: jumphost, address: 127.0.0.2 }
defaultIdentity: a
identities:
  a: { project: my-project, credentials: { fixed: token } }
  b: { project: my-project, credentials: { serviceAccountKey: b.json } }
`);
    const emails = rackWarnings(rack).filter(({ message }) => message.includes('`email`'));
    expect(emails.map(({ path, line }) => [path, line])).toEqual([['identities.a', 5]]);
  });

  it('names machines that share an address, which only their ports tell apart', () => {
    const shared = parse(`rack: r
jumphost: { name: jumphost, address: 127.0.0.2 }
machines:
  a: { kind: host, address: 127.0.0.1, port: 2201 }
  b: { kind: host, address: 127.0.0.1, port: 2202 }
`);
    const warnings = rackWarnings(shared).map(({ message }) => message);
    expect(warnings).toContain(
      'is also the address of a, but the metadata server identifies callers by address and treats both as a',
    );
  });

  it('names a login whose encryption cannot be spoken here', () => {
    const rack = parse(`rack: r
jumphost: { name: jumphost, address: 127.0.0.2 }
logins:
  pdus: { snmp: { version: 3, user: a, authKey: a, privKey: b, privProtocol: des } }
`);

    const found = rackWarnings(rack).filter(({ path }) => path.endsWith('privProtocol'));
    expect(found.map(({ line, column }) => [line, column])).toEqual([[4, 78]]);
  });

  it('names an account of the jumphost that it does not have', () => {
    const warningsFor = (more: string) =>
      rackWarnings(
        parse(`rack: r
jumphost: { name: jumphost, address: 127.0.0.2${more} }
identities:
  a: { project: my-project, email: a@example.com, credentials: { fixed: token } }
services: { alert-to-pubsub: { credentials: metadata } }
`),
      ).filter(({ path }) => path.endsWith('alert-to-pubsub.credentials'));

    expect(warningsFor('').map(({ line }) => line)).toEqual([5]);
    expect(warningsFor(', identity: a')).toEqual([]);
  });

  it('has nothing to say of the example, but for a PDU that gives no configuration', () => {
    expect(rackWarnings(exampleRack()).map(({ path }) => path)).toEqual(['equipment.pdu-2']);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(inventory, (raw) => {
        expect(rackWarnings(parse(stringify(raw))).every(({ line }) => line > 0)).toBe(true);
      }),
      runs(20),
    );
  });

  describe('of a secret in place of the name of its file', () => {
    let dir = '';

    beforeEach(async () => {
      dir = await tempDir();
    });

    function pasted(text: string) {
      const rack = parseRack(`${small}${text}`, { file: join(dir, 'rack.yaml') });
      return rackWarnings(rack).filter(({ message }) => message.includes('{ env: NAME }'));
    }

    it('points at it, and does not show it', () => {
      const warnings = pasted(`identities:
  bots: { project: p, credentials: { fixed: hunter2 } }
logins:
  router: { username: admin, password: hunter2, snmp: { version: 2c, community: hunter2 } }
services:
  alert-to-pubsub: { sinks: [{ name: chat, kind: http, url: "https://example.com", token: hunter2 }] }
`);

      expect(warnings.map(({ line, column, path }) => [line, column, path])).toEqual([
        [4, 45, 'identities.bots.credentials.fixed'],
        [6, 40, 'logins.router.password'],
        [6, 81, 'logins.router.snmp.community'],
        [8, 91, 'services.alert-to-pubsub.sinks[0].token'],
      ]);
      expect(warnings.map(({ message }) => message).join()).not.toContain('hunter2');
    });

    it.each([
      ['a path', 'secrets/switch'],
      ['a name with a suffix', 'switch.txt'],
      ['a file that says so', '{ file: switch }'],
      ['a variable', '{ env: SWITCH }'],
      ['a file that is there', 'token'],
    ])('leaves %s alone', async (_, password) => {
      await writeFile(join(dir, 'token'), 'hunter2');

      expect(pasted(`logins:\n  router: { password: ${password} }\n`)).toEqual([]);
    });
  });
});

it.each(['label: <<', 'label: "<<"', '"label": "<<: *a"'])('reads %s as text', (label) => {
  const text = `${exampleText}\n`.replace(
    /^machines:\n/m,
    `machines:\n  pi-text: { kind: rpi, address: 192.168.1.199, ${label} }\n`,
  );

  expect(parseRack(text, { file: 'rack.yaml' }).machines.get('pi-text')?.label).toMatch(/^<</);
});
