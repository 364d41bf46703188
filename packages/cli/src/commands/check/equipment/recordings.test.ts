/** What `skolo check equipment --record` writes: a simulator plays it, the same driver reads the same, and it contains nothing of the rack. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import type { Recording } from '@skolo/equipment/recordings';
import {
  startApcRpdu2,
  startCiscoIos,
  startEdgeos,
  startEdgeSwitch,
  startEos,
  startJunos,
  startNxos,
  startPoeSwitch,
  startProcurve,
  startRedfish,
  startRouteros,
  startShellyGen1,
  startShellyGen2,
  startSynaccess,
  startTasmota,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { readingPlayed, readRecording } from '../../../testing/played.ts';
import { runCommand } from '../../../testing/run-command.ts';

const proofs = join(import.meta.dirname, '../../../../../../docs/proofs');
const password = 'canary-login-7f3a';
const community = 'canary-Community-9c1d';
const account = { username: 'ann.smith', password, secondMs: 1 };
const host = '127.0.2.7';
const macs = ['b8:27:eb:4c:9a:01', 'b8:27:eb:4c:9a:02'];
const wiring = {
  hosts: macs.map((mac, at) => ({ mac, port: String(at + 1), address: `192.168.77.${at + 41}` })),
  own: 'f0:9f:c2:1a:2b:3c',
};
const machines = ['zrh-7-rpi-001', 'zrh-7-rpi-002'];
/** Of the rack and its logins. */
const originals = [password, community, 'ann.smith', 'zrh-7', ...machines, ...macs, wiring.own];

interface Started {
  host: string;
  port: number;
  telnetPort?: number | undefined;
  close(): Promise<void>;
}

interface Case {
  model: string;
  start: () => Promise<Started>;
  username?: string;
  transport?: string;
  options?: Record<string, unknown>;
  /** That feed the two machines. */
  outlets?: [string, string] | [string];
  reads: (keyof Recording['reading'])[];
}

const cases: Case[] = [
  {
    model: 'edgeswitch',
    start: () => startEdgeSwitch({ ...account, host, ports: 5, wiring, enablePassword: password }),
    options: { portCount: 5 },
    outlets: ['1', '2'],
    reads: ['outlets', 'configuration', 'hosts'],
  },
  {
    model: 'edgeswitch',
    transport: 'telnet',
    start: () => startEdgeSwitch({ ...account, host, ports: 5, wiring, telnetPort: 0 }),
    options: { portCount: 5 },
    reads: ['outlets', 'configuration', 'hosts'],
  },
  {
    model: 'cisco-ios',
    start: () => startCiscoIos({ ...account, host, wiring, enablePassword: password }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'edgeos',
    start: () => startEdgeos({ ...account, host, wiring }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'eos',
    start: () => startEos({ ...account, host, wiring }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'nxos',
    start: () => startNxos({ ...account, host, wiring }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'junos',
    start: () => startJunos({ ...account, host, wiring }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'procurve',
    start: () => startProcurve({ ...account, host, wiring }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'routeros',
    start: () => startRouteros({ ...account, host, wiring }),
    reads: ['configuration', 'hosts'],
  },
  {
    model: 'apc-rpdu2',
    start: () =>
      startApcRpdu2({ host, outlets: 4, readCommunity: community, writeCommunity: community }),
    options: { outlets: 4 },
    outlets: ['1', '2'],
    reads: ['outlets'],
  },
  {
    model: 'snmp-poe',
    start: () =>
      startPoeSwitch({
        host,
        ports: 5,
        readCommunity: community,
        writeCommunity: community,
        wiring,
      }),
    options: { portCount: 5 },
    outlets: ['1', '2'],
    reads: ['outlets', 'hosts'],
  },
  {
    model: 'tasmota',
    start: () => startTasmota({ host, password }),
    username: 'admin',
    outlets: ['1'],
    reads: ['outlets'],
  },
  {
    model: 'shelly-gen1',
    start: () => startShellyGen1({ host, account }),
    outlets: ['0'],
    reads: ['outlets'],
  },
  {
    model: 'shelly-gen2',
    start: () => startShellyGen2({ host, password }),
    username: 'admin',
    outlets: ['0'],
    reads: ['outlets'],
  },
  {
    model: 'synaccess',
    start: () => startSynaccess({ host, account }),
    outlets: ['1'],
    reads: ['outlets'],
  },
  {
    model: 'redfish',
    start: () => startRedfish({ host, account }),
    outlets: ['1'],
    reads: ['outlets'],
  },
];

/** None of them is in a field that says so. */
const planted = [
  '482913',
  '47.3712',
  'hunter2x',
  'bob',
  'y2fuyxj5',
  '10.9.8.7',
  'wx-91-qq',
  'mayfair',
];
const described = {
  outlets: 2,
  on: { path: '/set?id={outlet}&to=an' },
  off: { path: '/set?id={outlet}&to=aus' },
  read: {
    path: '/all?session_key=hunter2x',
    headers: { 'X-Door': 'hunter2x' },
    list: '/Outputs',
    where: { ID: '{outlet}' },
    value: '/Zustand',
    on: '^an$',
    off: '^aus$',
  },
};

/** Answers each request with a text. */
async function startAnswering(answer: (path: string) => string): Promise<Started> {
  const server = createServer(({ url = '' }, response) => response.end(answer(url)));
  return { host: '127.0.0.1', port: await listen(server), close: async () => undefined };
}

const onOff = { on: { path: '/on/{outlet}' }, off: { path: '/off/{outlet}' } };
const twoOutlets: [string, string] = ['1', '2'];

async function startTalkativePdu(): Promise<Started> {
  const answer = {
    Agent: {
      Model: 'WX-91-QQ',
      about: ['Mayfair', { v: 'hunter2x', server: 'http://bob:x@10.9.8.7/' }],
    },
    where: [47.3712, { x: 'Basic Y2FuYXJ5' }],
    Outputs: [
      { ID: 1, label: 'bob', Zustand: 'an', door_pin: 482913 },
      { ID: 2, label: 'Mayfair', Zustand: 'aus', door_pin: '482913' },
    ],
  };
  const server = createServer((_request, response) => response.end(JSON.stringify(answer)));
  return { host: '127.0.0.1', port: await listen(server), close: async () => undefined };
}

/** The files of a look at one device. */
async function record({ model, start, transport, options, ...about }: Case) {
  const { outlets = [], username = 'ann.smith' } = about;
  const device = await start();
  onTestFinished(() => device.close());
  const dir = await tempDir();
  await writeFile(join(dir, 'password'), `${password}\n`, { mode: 0o600 });
  await writeFile(join(dir, 'community'), `${community}\n`, { mode: 0o600 });
  const { port, telnetPort } = device;
  const ports = { ssh: port, snmp: port, http: port, ...(telnetPort && { telnet: telnetPort }) };
  const snmp = { version: '2c', community: 'community' };
  const login = { username, password: 'password', enablePassword: 'password', snmp };
  const rack = {
    rack: 'zrh-7',
    jumphost: { name: 'jumphost', address: '127.0.0.8' },
    logins: { all: login },
    equipment: {
      'zrh-7-sw1': {
        ...{ model, login: 'all', ...options, ...(transport && { transport }) },
        ...{ address: device.host, ports },
      },
    },
    machines: Object.fromEntries(
      outlets.map((outlet, at) => [
        machines[at] ?? '',
        { kind: 'host', address: `192.168.77.${at + 41}`, power: `zrh-7-sw1/${outlet}` },
      ]),
    ),
  };
  await writeFile(join(dir, 'rack.yaml'), stringify(rack));
  const to = join(dir, 'recordings');
  const args = ['check', 'equipment', join(dir, 'rack.yaml'), '--pause', '0.001s', '--record', to];
  const { out, err } = await runCommand(args);
  const [file = ''] = await readdir(to).catch(() => []);
  expect(file, `${out}${err}`).toMatch(/^recording-.*\.yaml$/);
  return { file: join(to, file), text: await readFile(join(to, file), 'utf8') };
}

describe('a recording', () => {
  it.each(cases)('of $model is read as the device was', async (about) => {
    const { file, text } = await record(about);
    const recording = await readRecording(file);

    expect(Object.keys(recording.reading)).toEqual(expect.arrayContaining(about.reads));
    expect(await readingPlayed(recording)).toEqual(recording.reading);
    const lower = text.toLowerCase();
    for (const original of originals) expect(lower).not.toContain(original.toLowerCase());
    expect(text).not.toContain('192.168.77.');
  });

  it('of a described PDU has nothing of its answers but states, and is read as the PDU was', async () => {
    const { file, text } = await record({
      model: 'http-switch',
      start: startTalkativePdu,
      outlets: ['1', '2'],
      options: described,
      reads: [],
    });
    const recording = await readRecording(file);

    expect(recording.reading.outlets).toEqual({ 1: 'on', 2: 'off' });
    expect(await readingPlayed(recording)).toEqual(recording.reading);
    expect(text).toContain('door_pin');
    for (const word of planted) expect(text.toLowerCase()).not.toContain(word);
  });

  it.each<[string, object, (path: string) => string]>([
    [
      'parameters with outlets',
      { path: '/gpio?pin={outlet}&key=hunter2x', on: '^1$', off: '^0$' },
      (path) => `${path.includes('pin=1&') ? 1 : 0}`,
    ],
    [
      'an expression for a pin',
      { path: '/p/{outlet}', on: '"pin_state":"HIGH"', off: '"pin_state":"LOW"' },
      (path) => `{"pin_state":"${path.endsWith('1') ? 'HIGH' : 'LOW'}","door":"hunter2x"}`,
    ],
    [
      'a compact body',
      { path: '/p/{outlet}', on: '"ison":true', off: '"ison":false' },
      (path) => `{"ison":${path.endsWith('1')},"door":"hunter2x"}`,
    ],
    [
      'a key in its path',
      { path: '/api/hunter2x/482913/p/{outlet}', on: '^1$', off: '^0$' },
      (path) => `${path === '/api/hunter2x/482913/p/1' ? 1 : 0}`,
    ],
    [
      'a web page',
      { path: '/p/{outlet}', on: '<b>an</b>', off: '<b>aus</b>' },
      (path) => `<p id="hunter2x">Bob: <b>${path.endsWith('1') ? 'an' : 'aus'}</b> 482913</p>`,
    ],
  ])('with %s is read as the PDU was', async (_what, read, answer) => {
    const { file, text } = await record({
      model: 'http-switch',
      start: () => startAnswering(answer),
      outlets: twoOutlets,
      options: { outlets: 2, ...onOff, read },
      reads: [],
    });
    const recording = await readRecording(file);

    expect(recording.reading.outlets).toEqual({ 1: 'on', 2: 'off' });
    expect(await readingPlayed(recording)).toEqual(recording.reading);
    expect(text).not.toMatch(/hunter2x|482913/);
  });

  it.each([
    ['beside an outlet', '/KEY-{outlet}', twoOutlets],
    ['beside an outlet, without a sign between them', '/KEY{outlet}', twoOutlets],
    ['behind an outlet', '/{outlet}KEY/state', twoOutlets],
    ['of digits', '/p/482913{outlet}', twoOutlets],
    ['of digits, and outlets of two', '/482913{outlet}?482913', ['2', '12']],
    ['in the value of an outlet', '/p?c=KEY,{outlet}', twoOutlets],
    ['behind two slashes', '/api//KEY/p/{outlet}', twoOutlets],
    ['instead of a parameter', '/p/{outlet}?KEY', twoOutlets],
    ['beside outlets with names', '/p/KEYx{outlet}', ['lamp', 'fan']],
    ['of letters, beside outlets with names', '/p/kxqrtvqlm{outlet}', ['lamp', 'fan']],
    ['as bridges make them', '/api/W4rbW7sQ0pLdYfTn83jHcVbMa6EuRo1iG5Xk9Qz/{outlet}', twoOutlets],
  ] as const)('has no key %s', async (_what, template, [one, other]) => {
    const read = { path: template.replaceAll('KEY', 'hunter2x'), on: '^1$', off: '^0$' };
    const onPath = read.path.replaceAll('{outlet}', one);
    const outlets = Number(other) ? { outlets: Number(other) } : {};
    const { file, text } = await record({
      model: 'http-switch',
      start: () => startAnswering((path) => `${path === onPath ? 1 : 0}`),
      outlets: [one, other],
      options: { ...outlets, ...onOff, read },
      reads: [],
    });
    const recording = await readRecording(file);

    expect(recording.reading.outlets).toMatchObject({ [one]: 'on', [other]: 'off' });
    expect(await readingPlayed(recording)).toEqual(recording.reading);
    expect(text).not.toMatch(/hunter|2x|482913|kxqrtvqlm|W4rbW7|Xk9Qz/);
  });

  it('is not written if it would be read as something else', async () => {
    const read = { path: '/p/{outlet}', on: 'host 10\\.9\\.8\\.7 is on', off: 'aus' };
    const recorded = record({
      model: 'http-switch',
      start: () => startAnswering(() => 'host 10.9.8.7 is on'),
      outlets: twoOutlets,
      options: { outlets: 2, ...onOff, read },
      reads: [],
    });

    await expect(recorded).rejects.toThrow('skolo reads something else from it');
  });

  it('is not written if too many values are read from it', async () => {
    const words = Array.from({ length: 240 }, (_, at) => (at + 20_000).toString(36)).join(' ');
    const recorded = record({
      model: 'http-switch',
      start: () => startAnswering(() => words),
      outlets: twoOutlets,
      options: {
        outlets: 2,
        ...onOff,
        read: { path: '/p/{outlet}', on: `^${words}$`, off: 'aus' },
      },
      reads: [],
    });

    await expect(recorded).rejects.toThrow(/not recorded: .*too many .*record fewer outlets/);
  });

  it('of 48 outlets and a thousand values asks few questions', async () => {
    const Outputs = Array.from({ length: 48 }, (_, at) => ({
      ...{ ID: at + 1, Zustand: 'an', label: `bob ${at}` },
      more: Array.from({ length: 20 }, (_, n) => 482_900 + n),
    }));
    const { file, text } = await record({
      model: 'http-switch',
      start: () => startAnswering(() => JSON.stringify({ Outputs })),
      outlets: twoOutlets,
      options: { ...described, outlets: 48 },
      reads: [],
    });

    expect(Object.keys((await readRecording(file)).reading.outlets ?? {})).toHaveLength(48);
    expect(text).not.toMatch(/bob|"4829/);
  });

  it('in docs/proofs is read as its equipment was', async () => {
    const files = await readdir(proofs, { recursive: true });
    for (const file of files.filter((each) => /recording-[^/]+\.yaml$/.test(each))) {
      const recording = await readRecording(join(proofs, file));
      expect(await readingPlayed(recording), file).toEqual(recording.reading);
    }
  });

  it('whose answers differ is read as something else', async () => {
    const about = cases.find(({ model }) => model === 'snmp-poe');
    if (about === undefined) throw new Error('there is no such case');
    const recording = await readRecording((await record(about)).file);
    const other = recording.talks.map((talk) =>
      talk.kind === 'snmp'
        ? {
            ...talk,
            received: talk.received.replace(
              /^(1\.3\.6\.1\.2\.1\.105\.1\.1\.1\.3\S*\|2\|)1$/m,
              '$12',
            ),
          }
        : talk,
    );

    const reading = await readingPlayed({ ...recording, talks: other });

    expect(Object.values(reading.outlets ?? {}).filter((state) => state === 'off')).toHaveLength(1);
    expect(recording.reading.outlets).toEqual(
      Object.fromEntries(['1', '2', '3', '4', '5'].map((outlet) => [outlet, 'on'])),
    );
  });
});
