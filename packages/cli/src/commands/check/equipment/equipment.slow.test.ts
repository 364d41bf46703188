/** `skolo check equipment` on a small rack of simulated devices, each over its real protocol. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { Proof } from '@skolo/equipment/models/proofs';
import {
  type CiscoIosOptions,
  type ConfiguredDevice,
  startApcCard,
  startApcRpdu2,
  startCiscoIos,
  startEdgeos,
  startEdgeSwitch,
  startTasmota,
  startVyos,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { complete } from '../../../program.ts';
import { runCommand } from '../../../testing/run-command.ts';
import { testIo } from '../../../testing/test-io.ts';

const password = 'canary-login-7f3a';
const account = { username: 'skolo', password, secondMs: 1 };
const macs = ['b8:27:eb:00:00:01', 'b8:27:eb:00:00:02'];
const pduMac = '28:29:86:00:00:01';
const nothing = { hosts: [] };

interface Changes {
  /** In rack.yaml. */
  edit?: (yaml: string) => string;
  router?: ConfiguredDevice;
  pdu?: Parameters<typeof startApcRpdu2>[0];
  password?: string;
}

async function startSmallRack({ edit = (yaml) => yaml, ...changes }: Changes = {}) {
  const dir = await tempDir();
  const pdu = await startApcRpdu2({
    ...{ host: '127.0.2.3', outlets: 4, metered: true, watts: 20, rebootSeconds: 5 },
    ...changes.pdu,
  });
  const card = await startApcCard({ ...account, host: '127.0.2.3' });
  const router =
    changes.router ?? (await startEdgeos({ ...account, host: '127.0.2.1', wiring: nothing }));
  const hosts = macs.map((mac, at) => ({ mac, port: String(at + 1) }));
  const wiring = { hosts: [...hosts, { mac: pduMac, port: '4' }], own: 'f0:9f:c2:00:00:01' };
  const switch1 = await startEdgeSwitch({ ...account, host: '127.0.2.2', ports: 5, wiring });
  const all = [pdu, card, switch1, router];
  for (const device of all) onTestFinished(() => device.close());
  // Nothing is plugged into these.
  for (const { board } of [pdu, switch1]) {
    for (const outlet of board.names().slice(2)) board.setWatts(outlet, 0);
  }
  const secrets = {
    password: changes.password ?? password,
    write: 'not-for-looks',
    read: 'public',
  };
  for (const [name, value] of Object.entries(secrets)) {
    await writeFile(join(dir, name), `${value}\n`, { mode: 0o600 });
  }
  const rack = join(dir, 'rack.yaml');
  const yaml = `rack: small
jumphost: { name: jumphost, address: 127.0.0.8 }
logins:
  switches: { username: skolo, password: password }
  pdus: { username: skolo, password: password, snmp: { version: 2c, community: write }, read: readers }
  readers: { snmp: { version: 2c, community: read } }
equipment:
  router: { model: edgeos, address: 127.0.2.1, ports: { ssh: ${router.port} }, login: switches, uplink: internet, power: pdu-1/1 }
  switch-1: { model: edgeswitch, portCount: 5, address: 127.0.2.2, ports: { ssh: ${switch1.port} }, login: switches, uplink: router/eth1, power: pdu-1/2 }
  pdu-1: { model: apc-rpdu2, outlets: 4, address: 127.0.2.3, ports: { snmp: ${pdu.port}, ssh: ${card.port} }, login: pdus, mac: "${pduMac}", uplink: switch-1/4 }
machines:
  rpi-001: { kind: rpi, address: 127.0.1.1, mac: "${macs[0]}", uplink: switch-1/1, power: switch-1/1 }
  rpi-002: { kind: rpi, address: 127.0.1.2, mac: "${macs[1]}", uplink: switch-1/2, power: switch-1/2 }
`;
  await writeFile(rack, edit(yaml));
  return { dir, rack, pdu, card, switch1, router, all };
}

const Device = z.object({
  equipment: z.string(),
  firmware: z.string().optional(),
  answersAs: z.string().optional(),
  steps: z.array(z.object({ step: z.string(), isDone: z.boolean() })),
  outlets: z.array(z.record(z.string(), z.object({ state: z.string() }))),
  sent: z.array(z.array(z.string())),
});
const Problem = z.object({
  kind: z.string().optional(),
  thing: z.string(),
  state: z.string(),
  found: z.string(),
  expected: z.string().optional(),
  advice: z.string().optional(),
});
const Result = z.object({ equipment: z.array(Device), findings: z.array(Problem) });

async function look(rack: string, ...options: string[]) {
  const args = ['check', 'equipment', rack, '--pause', '0.001s', '--json', ...options];
  const { out, err, exitCode } = await runCommand(args);
  expect(`${out}${err}`).not.toContain(password);
  expect(err.replace(/^\/.*\.(?:json|yaml)\n/gm, '')).toBe('');
  const { equipment, findings } = Result.parse(JSON.parse(out));
  return {
    exitCode,
    devices: equipment,
    of: (name: string) => equipment.find((each) => each.equipment === name),
    notes: findings.flatMap(({ thing, state, found }) =>
      state === 'info' && /^(?:value|login) /.test(found) ? [`${thing}: ${found}`] : [],
    ),
    problems: findings.flatMap(({ kind, thing, state, found, expected, advice }) =>
      /^(differs|unchecked)$/.test(state)
        ? [`${kind}: ${thing}: ${[found, expected, advice].filter(Boolean).join('; ')}`]
        : [],
    ),
  };
}

describe('a look', () => {
  it('finds no problem in a healthy rack, and writes nothing', async () => {
    const { rack, all, dir } = await startSmallRack();
    const changes: unknown[] = [];
    for (const { board } of all) board.on('change', (change) => changes.push(change));
    const record = join(dir, 'recordings');

    const proofs = join(dir, 'proofs');
    const { out: plan } = await runCommand(['check', 'equipment', '--plan', rack]);

    const files = ['--record', record, '--evidence', proofs];
    const { exitCode, devices, problems, of } = await look(rack, ...files);

    expect({ problems, exitCode }).toEqual({ problems: [], exitCode: 0 });
    expect(devices.map(({ equipment, firmware }) => [equipment, firmware])).toEqual([
      ['router', 'v2.0.9-hotfix.6'],
      ['switch-1', '1.9.3'],
      ['pdu-1', '6.8.0'],
    ]);
    expect(of('switch-1')?.steps.map(({ step }) => step)).toEqual([
      'outlets 1',
      'configuration 1',
      'connected hosts',
      'outlets 2',
      'configuration 2',
      'outlets 3',
    ]);
    expect(of('pdu-1')?.outlets).toHaveLength(3);
    expect(changes).toEqual([]);
    expect(all.filter(({ sessions }) => sessions.most > 1)).toEqual([]);
    const received = all.flatMap((device) => device.received.map(({ text }) => text));
    expect(received.filter((text) => writes.test(text))).toEqual([]);
    const lines = devices.flatMap(({ sent }) => sent.flat());
    expect(lines).toContain('show mac-addr-table');
    expect(lines.filter((line) => !plan.includes(line))).toEqual([]);
    expect((await readdir(record)).sort()).toEqual([
      'recording-apc-rpdu2-6.8.0.yaml',
      'recording-edgeos-v2.0.9-hotfix.6.yaml',
      'recording-edgeswitch-1.9.3.yaml',
    ]);
    await expectProofs(proofs);
  });

  it('names a device that answers as another model', async () => {
    const router = await startVyos({ ...account, host: '127.0.2.1', wiring: nothing });
    const { rack } = await startSmallRack({
      router,
      edit: (yaml) => yaml.replace('model: apc-rpdu2,', 'model: apc-rpdu,'),
    });

    const { of, exitCode, problems } = await look(rack);

    expect(exitCode).toBe(1);
    expect(of('router')?.answersAs).toBe('vyos');
    expect(of('pdu-1')?.answersAs).toBe('apc-rpdu2');
    expect(problems).toContain(
      'model: pdu-1 model: responds as apc-rpdu2 (APC rack PDU, AP8900 family); apc-rpdu',
    );
  });

  it.each<[string, Partial<CiscoIosOptions>, string, string[], RegExp | undefined]>([
    [
      'may not see everything',
      { privilege: 7 },
      '',
      [
        'configuration: router login switches: only a part of the configuration is shown: the login has privilege level 7; a backup requires privilege level 15, no parser view; or set `allowPartial: true` in rack.yaml to store the part',
      ],
      undefined,
    ],
    [
      'may see as much as rack.yaml allows',
      { privilege: 7 },
      'allowPartial: true, ',
      [],
      /^router: login switches: only a part .* privilege level 7;/,
    ],
    [
      'may see an unknown part',
      { privilege: 15, denied: ['show p'] },
      '',
      [],
      /^router: login switches: may not be shown the whole configuration$/,
    ],
    ['may see everything', { privilege: 15 }, '', [], undefined],
  ])('names a login that %s', async (_what, options, allowed, expected, noted) => {
    const where = { host: '127.0.2.1', hostName: 'router', ports: 4, wiring: nothing };
    const router = await startCiscoIos({ ...account, ...where, ...options });
    const { rack } = await startSmallRack({
      router,
      edit: (yaml) =>
        yaml.replace('model: edgeos,', `model: cisco-ios, ${allowed}`).replace('/eth1', '/Gi1/0/1'),
    });

    const { notes, problems } = await look(rack);

    expect(problems.filter((problem) => problem.startsWith('configuration: '))).toEqual(expected);
    expect(notes.filter((note) => note.startsWith('router: login '))).toEqual(
      noted ? [expect.stringMatching(noted)] : [],
    );
  });

  it.each([
    [/^show poe/, 'outlets 1'],
    [/^show running-config/, 'configuration 1'],
    [/^show mac-addr-table/, 'connected hosts'],
  ])('goes on after a session that ends at %s', async (command, step) => {
    const { rack, switch1 } = await startSmallRack();
    switch1.faults.dropAt = { command, when: 'before' };

    const { of, problems, exitCode } = await look(rack);

    expect(exitCode).toBe(3);
    expect(
      problems.filter((problem) => !problem.startsWith(`failed: switch-1: ${step}: `)),
    ).toEqual([]);
    expect(problems).toHaveLength(1);
    const isDone = of('switch-1')?.steps.map((each) => [each.step, each.isDone]);
    // In the first step, nothing has shown that the device exists.
    if (step !== 'outlets 1') expect(isDone).toContainEqual(['outlets 3', true]);
    expect(of('pdu-1')?.steps.every((each) => each.isDone)).toBe(true);
  });

  it('names an outlet that changes between readings', async () => {
    const { rack, pdu } = await startSmallRack();
    let requests = 0;
    const { received } = pdu;
    const push = received.push.bind(received);
    received.push = (...items) => {
      requests += 1;
      // A reading may take two.
      pdu.board.set('3', requests % 4 < 2);
      return push(...items);
    };

    const { problems } = await look(rack);

    expect(problems).toEqual([
      expect.stringMatching(
        /^changed: pdu-1 outlet 3: changed between readings: (on|off), (on|off), /,
      ),
    ]);
  });

  it('compares outlets with rack.yaml', async () => {
    const { rack, pdu, switch1 } = await startSmallRack({
      edit: (yaml) =>
        yaml
          .replace('outlets: 4', 'outlets: 8')
          .replace('power: switch-1/2', 'power: pdu-1/4')
          .replace('uplink: switch-1/1,', 'uplink: switch-1/3,'),
    });
    pdu.board.set('4', false);
    switch1.board.setFaulty('4', true);

    const { problems } = await look(rack);

    expect(problems).toEqual([
      'outlet: switch-1 port 2: delivers 4.5 W; none, because it powers nothing in rack.yaml',
      expect.stringMatching(/^outlet: switch-1 port 4: reports a fault: /),
      'link: switch-1 port 2: has a link, but pdu-1/4, which powers rpi-002 in rack.yaml, is off',
      expect.stringMatching(/^count: pdu-1: not all 8 outlets can be read: .*correct the number/),
      'outlet: pdu-1 outlet 4: off; on, because it powers rpi-002 in rack.yaml',
      expect.stringMatching(
        /^moved-cable: rpi-001: is at switch-1\/1; switch-1\/3; set `uplink: switch-1\/1`/,
      ),
    ]);
  });

  it('compares names, off times, and outlets after a power failure', async () => {
    const { rack, pdu } = await startSmallRack({
      edit: (yaml) => `${yaml}  rpi-003: { kind: rpi, power: pdu-1/4, offSeconds: 15 }\n`,
      pdu: {
        powerOnTimes: { 2: -1, 3: -1 },
        outletNames: { 1: 'router', 3: 'rpi-002' },
      },
    });
    pdu.board.setWatts('4', 5);

    const { problems } = await look(rack);

    expect(problems).toEqual([
      'name: pdu-1 outlet 3: named rpi-002; nothing, as in rack.yaml',
      'power-failure: pdu-1 outlet 2: left off after a power failure, because the power-on delay is "never"',
      expect.stringMatching(
        /^off-time: pdu-1 outlet 4: .* lasts 5 s, .*; at least 15 s \(`offSeconds` in rack.yaml\); /,
      ),
    ]);
    expect(pdu.received.filter(({ text }) => text.startsWith('set'))).toEqual([]);
  });

  it('reads a plug over HTTP', async () => {
    const options = { host: '127.0.2.4', powerOnState: 0, interlock: ['1'] };
    const plug = untilTestEnds(await startTasmota(options));
    const entry = `  plug-1: { model: tasmota, address: 127.0.2.4, ports: { http: ${plug.port} } }\n`;
    const { rack } = await startSmallRack({
      edit: (yaml) => yaml.replace('machines:\n', `${entry}machines:\n`),
    });

    const { problems, of } = await look(rack);

    expect(problems).toEqual([
      expect.stringMatching(
        /^outlet: plug-1: switching an outlet may move others, because Interlock is ON for relays 1; /,
      ),
      'power-failure: plug-1 relay 1: left off after a power failure, because PowerOnState is 0 (off)',
      expect.stringMatching(/^outlet: plug-1 relay 1: delivers /),
    ]);
    expect(of('plug-1')?.firmware).toBe('13.1.0(release-tasmota)');
    const { out: plan } = await runCommand(['check', 'equipment', '--plan', rack]);
    const sent = plug.received.map(({ text }) => text.replace(/(?<=cmnd=\w+) /, '%20'));
    expect(sent.filter((text) => !plan.includes(text))).toEqual([]);
  });

  it('offers a wrong password once', async () => {
    const { rack, switch1, router } = await startSmallRack({ password: 'wrong-password' });

    const { of, problems } = await look(rack);

    expect(problems).toEqual([
      'sign-in: router: outlets 1: rejects the sign-in of "skolo": skolo offered the password; accepted methods: publickey, password, keyboard-interactive',
      'sign-in: switch-1: outlets 1: rejects the sign-in of "skolo": skolo offered the password; accepted methods: publickey, password, keyboard-interactive',
      expect.stringMatching(/^sign-in: pdu-1: configuration 1: .* offered the password; /),
    ]);
    expect(of('switch-1')?.steps).toHaveLength(1);
    expect([...router.received, ...switch1.received]).toEqual([]);
  });

  it('tries each of two values once, and reads with the one that signs in', async () => {
    const { rack, dir, switch1, router } = await startSmallRack({
      password: `of-yesterday\n${password}`,
    });
    const proofs = join(dir, 'proofs');

    const { notes, problems, exitCode } = await look(rack, '--evidence', proofs);

    expect({ problems, exitCode }).toEqual({ problems: [], exitCode: 0 });
    for (const name of ['router', 'switch-1', 'pdu-1']) {
      const login = name === 'pdu-1' ? 'pdus' : 'switches';
      expect(notes).toContainEqual(
        expect.stringMatching(
          `^${name}: value 1 of 2 in login ${login} does not sign in: rejects `,
        ),
      );
      expect(notes).toContain(`${name}: value 2 of 2 in login ${login} signs in`);
    }
    expect([...router.received, ...switch1.received].length).toBeGreaterThan(0);
    await expectProofs(proofs);
  });

  it.each([
    [`${password}\nof-yesterday`, ['signs in', 'does not sign in']],
    ['of-yesterday\nof-tomorrow', ['does not sign in', 'does not sign in']],
    [`a\n${password}\nb`, ['does not sign in', 'signs in', 'does not sign in']],
  ])('says of each value whether it signs in: %j', async (text, expected) => {
    const { rack } = await startSmallRack({ password: text });

    const { notes, problems, of } = await look(rack);

    const own = notes.filter((note) => note.startsWith('switch-1: value '));
    expect(own.map((note) => /(does not sign|signs) in/.exec(note)?.[0])).toEqual(expected);
    const isIn = expected.includes('signs in');
    expect(of('switch-1')?.outlets).toHaveLength(isIn ? 3 : 0);
    const signIns = problems.filter((problem) => problem.startsWith('sign-in: switch-1: '));
    expect(signIns).toEqual(
      isIn ? [] : [expect.stringContaining('no value in login switches signs in: rejects the')],
    );
  });

  it('says which of two communities gets a response', async () => {
    const { rack, dir } = await startSmallRack();
    await writeFile(join(dir, 'read'), 'of-yesterday\npublic\n', { mode: 0o600 });

    const { notes, problems } = await look(rack);

    expect(problems).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^pdu-1: value 1 of 2 in login readers does not sign in: no SNMP response /,
      ),
      'pdu-1: value 2 of 2 in login readers signs in',
    ]);
  });

  it('gives a hanging device up, and finishes the others', async () => {
    const { rack, switch1 } = await startSmallRack();
    switch1.faults.set('wedged');

    // Less than the 20 s that the transport waits for a handshake.
    const { of, problems } = await look(rack, '--timeout', '18s');

    expect(problems).toEqual(['failed: switch-1: outlets 1: not read within 18 s']);
    for (const name of ['router', 'pdu-1']) {
      expect(of(name)?.steps.every(({ isDone }) => isDone)).toBe(true);
    }
  });
});

/** Nothing in them identifies the rack. */
async function expectProofs(folder: string): Promise<void> {
  expect((await readdir(folder)).sort()).toEqual([
    'proof-apc-rpdu2-6.8.0.json',
    'proof-edgeos-v2.0.9-hotfix.6.json',
    'proof-edgeswitch-1.9.3.json',
  ]);
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), 'utf8');
    expect(Proof.parse(JSON.parse(text)).devices).toHaveLength(1);
    expect(text).not.toMatch(/127\.0|pdu-1|switch-1|rpi-00|small|canary|802AA8|ZA00/);
  }
}

/** Everything with which a command line, an agent or a card could be changed. */
const writes = /^set |^conf|^poe |^write|^copy|^save|^commit|\bset\b.*poe|scp -t|^reload|^reboot/;

describe('a plan', () => {
  it('lists what would be sent, and sends nothing', async () => {
    const { rack, all } = await startSmallRack();
    const args = ['check', 'equipment', '--plan', rack];

    const { out, exitCode } = await runCommand(args);

    expect(exitCode).toBe(0);
    expect(out).toContain('pdu-1 (apc-rpdu2, snmp) description\n  snmp walk 1.3.6.1.2.1.1.1\n');
    expect(out).toMatch(/switch-1 \(edgeswitch, ssh\) outlets 1, 2 and 3\n.*\n.*<secret>/);
    expect(out).toContain('  show running-config\n  show startup-config\n  show version\n');
    expect(out).toContain('  scp -f config.ini');
    expect(out).not.toContain(password);
    for (const { sessions, received } of all) {
      expect([sessions.opened, received]).toEqual([0, []]);
    }
  });

  it('needs nobody to be there', async () => {
    const { rack, all } = await startSmallRack();
    for (const { faults } of all) faults.set('down');

    expect((await runCommand(['check', 'equipment', '--plan', rack])).exitCode).toBe(0);
  });
});

describe('the command', () => {
  const clusters = join(import.meta.dirname, '../../../../../../kube/clusters/config.json');
  const empty = `rack: small
timezone: UTC
jumphost: { name: jumphost, address: 127.0.0.8 }
`;
  it.each<[string, string[], number, RegExp]>([
    [
      'needs a rack that is listed, or a file',
      ['rack99', '--clusters', clusters],
      2,
      /^skolo: rack99: no such rack in .*; did you mean "rack\d"\? To check a rack that is not listed there, specify its file/,
    ],
    [
      'needs a file that exists',
      ['./nothing.yaml'],
      78,
      /^skolo: \.\/nothing\.yaml: no such file; specify an existing file, as in skolo check equipment rack\.yaml, or create one with skolo rack new/,
    ],
    [
      'needs devices',
      ['FILE'],
      78,
      /rack\.yaml: contains no switches, PDUs or routers to read; add equipment to `equipment`/,
    ],
    [
      'writes no evidence for a plan',
      ['--plan', '--evidence', 'x', 'FILE'],
      2,
      /'--evidence <dir>' cannot be used with option '--plan'/,
    ],
  ])('%s', async (_, args, code, message) => {
    const dir = await tempDir();
    const file = join(dir, 'rack.yaml');
    await writeFile(file, empty);

    const words = args.map((word) => (word === 'FILE' ? file : word));
    const { out, err, exitCode } = await runCommand(['check', 'equipment', ...words]);

    expect([out, exitCode]).toEqual(['', code]);
    expect(err).toMatch(message);
  });

  it('prints problems first, then what it has read', async () => {
    const { rack, pdu } = await startSmallRack();
    pdu.board.set('1', false);

    const { out, exitCode } = await runCommand(['prove', '--look', rack, '--pause', '0.001s']);

    expect(out.trimEnd().split('\n')).toEqual([
      'pdu-1 outlet 1: off; expected on, because it powers router in rack.yaml',
      expect.stringMatching(
        /^pdu-1: info: apc-rpdu2, AP\d+, firmware 6.8.0, 3 of 4 outlets on \(read 3 times\), configuration of \d+ bytes \(read 2 times\)$/,
      ),
      expect.stringMatching(/^router: ok: edgeos, /),
      expect.stringMatching(/^switch-1: ok: edgeswitch, .*, 3 hosts$/),
      'small: 3 pieces of equipment, 1 problem, 2 ok',
    ]);
    expect(exitCode).toBe(1);
  });

  it('prints the results so far when it is interrupted', async () => {
    const { rack, switch1 } = await startSmallRack();
    const printed: string[] = [];
    const listeners: ((signal: NodeJS.Signals) => void)[] = [];
    const io = testIo({
      out: (text) => printed.push(text),
      onSignal(listener) {
        listeners.push(listener);
        return () => {};
      },
    });

    // The pause never ends by itself.
    const run = complete(['check', 'equipment', rack, '--pause', '1h'], io);
    const links = 'show port all';
    const isFar = () => expect(switch1.received.map(({ text }) => text)).toContain(links);
    await vi.waitFor(isFar);
    for (const listener of listeners) listener('SIGINT');

    expect(await run).toBe(130);
    expect(printed.join('\n')).toMatch(/^switch-1: not checked: not read completely$/m);
  });
});
