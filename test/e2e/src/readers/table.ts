/**
 * Each reader of what equipment, phones and agents send: where it is, its largest permitted message, its worst content, and how it reads.
 * While it reads, no turn of the event loop may take longer than `mostMs`.
 */
import { gzipSync } from 'node:zlib';
import { createClient, swarmingClientApi } from '@skolo/api';
import { SlowExpression } from '@skolo/base/described-expression';
import { serverEvents } from '../../../../packages/api/src/route/server-events.ts';
import { readTar } from '../../../../packages/equipment/src/models/configuration/archive.ts';
import { membersToWrite } from '../../../../packages/equipment/src/models/configuration/archive-write.ts';
import { withoutMessages } from '../../../../packages/equipment/src/models/configuration/messages.ts';
import { isSame } from '../../../../packages/equipment/src/models/configuration/text.ts';
import { readWhole } from '../../../../packages/equipment/src/models/configuration/whole-reading.ts';
import type { Extent } from '../../../../packages/equipment/src/models/contract/backup.ts';
import type { Device } from '../../../../packages/equipment/src/models/contract/device.ts';
import { readState } from '../../../../packages/equipment/src/models/families/on-off-patterns.ts';
import { models } from '../../../../packages/equipment/src/models/index.ts';
import { loadBackups, loadConnectedHosts } from '../../../../packages/equipment/src/models/load.ts';
import { answering } from '../../../../packages/equipment/src/models/testing/answering.ts';
import { proofs } from '../../../../packages/equipment/src/models/testing/proofs.ts';
import { limits } from '../../../../packages/equipment/src/transports/budget/received.ts';
import { answerTo } from '../../../../packages/equipment/src/transports/http/sign-in.ts';
import { Negotiation } from '../../../../packages/equipment/src/transports/telnet/negotiation.ts';
import { judgeContent } from '../../../../services/router-backup/src/judge.ts';
import { changeInSyslog } from '../../../../services/router-backup/src/notices/syslog.ts';
import { changeInTrap, readTrap } from '../../../../services/router-backup/src/notices/traps.ts';
import {
  readIdeviceInfo,
  readUdids,
} from '../../../../services/swarming-client/src/devices/ios.ts';
import { complaint, excerpt } from '../../../../services/swarming-client/src/devices/look.ts';
import * as android from '../../../../services/swarming-client/src/devices/parse/android.ts';
import * as linux from '../../../../services/swarming-client/src/devices/parse/linux.ts';
import * as texts from '../../../../services/swarming-client/src/devices/parse/text.ts';
import { archiveOf, type Content, linesOf, type Most, type Row } from './contents.ts';
import {
  fromAgent,
  fromBroker,
  fromCommandLine,
  fromHttp,
  fromProgram,
  fromSignIn,
  outletsOf,
  tagged,
} from './equipment.ts';
import { ssh, withoutSshReader } from './ssh.ts';

/** Files and directories of transports that read nothing of what equipment sends, and why. */
export const withoutReader: Readonly<Record<string, string>> = {
  budget: 'counts bytes while they arrive',
  'endpoint.ts': 'addresses and logins of rack.yaml',
  'errors.ts': 'classes of errors',
  'host-keys.ts': 'compares hashes of keys',
  'index.ts': 'exports',
  'session.ts': 'the contract of sessions',
  session: 'opens sessions, whose transports read',
  ...withoutSshReader,
  stream: 'waits, and hides secrets in what `http` and `cli` quote',
};

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const datagram = { bytes: 65_507 };
const header = { bytes: 16 * kibibyte };
/** Of an answer, with its echo and its prompt. */
const framing = 1024;
function mostOf({ bytes, count, weights }: Required<Most>): Most {
  return { bytes: bytes - framing, count: 4 * count - framing, weights };
}
const table = mostOf(limits.table);
const configuration = mostOf(limits.configuration);
const document = mostOf(limits.document);
const ok = 'HTTP/1.1 200 OK\r\n';

const inText = (read: (text: string) => unknown) => (message: Buffer) => read(message.toString());

const transports: readonly Row[] = [
  {
    reader: 'cli: the answer to a command',
    most: table,
    worst: [{ piece: linesOf('a ', table) }, { piece: 'host$ ' }, { piece: '--More--\r' }],
    read: fromCommandLine('run'),
  },
  {
    reader: 'cli: a configuration',
    most: configuration,
    worst: [{ piece: linesOf('a ', configuration) }, { piece: '\x1b[1M\x1b[1;1H\x1b[1L' }],
    read: fromCommandLine('read'),
  },
  { reader: 'telnet: everything before a prompt', most: table, read: fromSignIn },
  {
    reader: 'telnet: a packet',
    most: { bytes: 64 * kibibyte },
    worst: [{ piece: '\xff\xfd\x01\xff\xfe\x01' }, { piece: '\xff\xfa\x18\x01\xff\xf0' }],
    read: (packet) => new Negotiation().parse(packet),
  },
  {
    reader: 'http: WWW-Authenticate',
    most: header,
    worst: [
      { begin: 'Digest ', piece: 'a' },
      { begin: 'Digest a', piece: ' ' },
      { begin: 'Digest a=', piece: ' ' },
      { piece: 'Digest a="\\' },
      { begin: 'Digest qop="', piece: ' ', end: '", nonce="a"' },
      { begin: 'Digest nonce="', piece: '\\"' },
      { piece: ', Basic' },
    ],
    read: (message) =>
      answerTo(message.toString('latin1'), { method: 'GET', path: '/' }, { legacySsh: false }),
  },
  {
    reader: 'http: ETag',
    most: header,
    worst: [{ piece: '"', end: 'x' }],
    read: (message) => fromHttp('HTTP/1.1 412 No\r\nETag: ')(message),
  },
  {
    reader: 'http: a response',
    most: { bytes: 2 * mebibyte },
    worst: [
      { begin: `${ok}A: b\r\n`, piece: '\t\r\n' },
      { begin: `${ok}Transfer-Encoding: chunked\r\n\r\n`, piece: '1\r\na\r\n' },
      { begin: ok, piece: 'A: b\r\n' },
      { piece: 'HTTP/1.1 100 Continue\r\n\r\n' },
    ],
    read: fromHttp(''),
  },
  {
    reader: 'http: a body',
    most: document,
    worst: [
      { begin: 'password', piece: ' ' },
      { begin: '[', piece: '{},', end: '{}]' },
    ],
    read: fromHttp('HTTP/1.1 500 No\r\nConnection: close\r\n\r\n'),
  },
  {
    reader: 'http: a compressed body',
    most: { bytes: mebibyte },
    worst: [gzipSync(Buffer.alloc(64 * mebibyte))],
    read: fromHttp(`${ok}Content-Encoding: gzip\r\nConnection: close\r\n\r\n`),
  },
  {
    reader: 'snmp: a response',
    most: { bytes: 64_000 },
    worst: [
      { piece: '\x30\x06\x06\x02\x2b\x06\x05\x00' },
      { piece: '\x30\x80\x00\x00' },
      tagged(0x30, Buffer.concat([tagged(6, Buffer.alloc(60_000, 1)), tagged(5)])),
      tagged(
        0x30,
        Buffer.concat([tagged(6, Buffer.from([0x2b, 6, 1])), tagged(4, Buffer.alloc(60_000))]),
      ),
    ],
    read: fromAgent,
  },
  {
    reader: 'mqtt.ts: packets',
    most: { bytes: mebibyte },
    worst: [
      { begin: '\x30\xfc\xff\x3f\x00\x01a', piece: 'offline' },
      { piece: '\x30\x04\x00\x01ab' },
      { piece: '\xd0\x00' },
    ],
    read: fromBroker,
  },
  {
    reader: 'program.ts: what a program prints',
    most: { bytes: 64 * kibibyte },
    read: fromProgram,
  },
];

const whole = 'accept .*\\[y/n\\]';
const described: readonly Row[] = [
  ...(
    [
      ['a usual one', 'accept', 'refuse'],
      ['a quadratic one', whole, whole],
      ['an exponential one', '(a+)+$', '^(\\w+\\s?)*$'],
    ] as const
  ).map(([what, on, off]) => ({
    reader: `expressions of descriptions: ${what}`,
    most: document,
    worst: [
      { piece: 'accept ' },
      { piece: 'a', end: '!' },
      { piece: 'a'.repeat(60_000), end: '!' },
    ],
    read: inText((text) => readState({ name: 'relay-1' }, text, { on, off })),
  })),
  {
    reader: 'expressions of descriptions: volatile lines',
    most: configuration,
    worst: [{ piece: linesOf('a', configuration) }, { piece: `${'a'.repeat(40)}!\n` }],
    read: (bytes) => configurationOf('generic')(bytes),
  },
];

const options = {
  files: ['/etc/**'],
  exclude: [],
  sudo: false,
  prompt: '#',
  commands: ['show'],
  complete: 'twice',
  pagingOff: [],
  volatile: ['(a+)+$', '^time '],
  secret: ['secret (.+)'],
  rejected: [],
  answers: [],
  logout: 'exit',
};
const deviceOf = (model: string): Device => ({
  name: 'device-1',
  model,
  ports: {},
  transport: 'ssh',
  options,
});
const backups = await loadBackups();

/** Reads it as router-backup does, and compares it with an earlier version. */
function configurationOf(name: string): Row['read'] {
  const device = deviceOf(name);
  const model = backups.get(name)?.(device);
  return async (bytes) => {
    if (model === undefined) return;
    let readings = 0;
    const changed = () => {
      readings += 1;
      return Buffer.concat([bytes, Buffer.from(`${readings}\n`)]);
    };
    const connection = { ...answering(device, changed), download: async () => changed() };
    await readWhole(model, connection, async ({ content }) => {
      await judgeContent(model, content);
    }).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    await isSame(bytes, changed(), model).catch((error: unknown) => {
      if (!(error instanceof SlowExpression)) throw error;
    });
  };
}

/** As whole configurations begin. */
const beginnings = [
  '## Last commit: now\nversion 1;\n',
  'system {\n',
  '!Current Configuration:\nconfigure\n',
  '# 2026-11-20 10:00:00 by RouterOS 7.15.3\n/x\n',
  '!\nversion 12\nhostname x\n',
];
const tableBeginnings = [
  'Vlan    Mac Address       Type\n 10    b827.eb00.0001    DYNAMIC',
  'VLAN ID  MAC Address         Interface\n10 b8:27:eb:00:00:01 0/1',
  'Port  Name  Status\nGi1/0/1 ',
];

/** Reads a configuration of which the device says how much the login sees: its answers to all commands but that for an archive. */
function extentOf(name: string, packed = false): (bytes: Buffer) => Promise<Extent | undefined> {
  const device = deviceOf(name);
  const model = backups.get(name)?.(device);
  const archive = gzipSync(archiveOf(1, () => ({ name: 'a' })));
  return async (bytes) => {
    const answer = (command: string) =>
      packed && command.startsWith('sysupgrade') ? archive : bytes;
    return (await model?.read(answering(device, answer)))?.extent;
  };
}

const says = (begin: string, piece = begin) => ({ begin, piece });
/** What questions about the login look for, almost. */
const aboutLogin: readonly Content[] = [
  says('Permissions:\n'),
  says('Permissions:', '\n secret '),
  says(' Deny configuration regular expression: none', ' '),
  says(' roles:', ' network-adminx'),
  says(' roles:', ' '),
  says(' roles:\n'),
  says('read', ';sensitivex'),
  says('read\n'),
  says("Current view is '", 'a'),
  says("Current view is 'a'\n"),
  says('Current privilege level is 15', ' '),
  says('Current privilege level is 15x\n'),
  says('Current privilege level is 15', '\n'),
  says('1\n'),
  says('  a', ' '),
  says('  a Down\n'),
  says('a /* SECRET-DATA *'),
];

async function rowsOf(name: string): Promise<Row[]> {
  const device = deviceOf(name);
  const hosts = (await loadConnectedHosts(name))?.(device);
  const credentials = async () => ({ legacySsh: false });
  const { signal } = new AbortController();
  const begun = (all: readonly string[], most: Most) =>
    all.flatMap((begin) => [
      { begin, piece: linesOf('a ', most) },
      { begin, piece: 'a {\n' },
      { begin, piece: `${linesOf('x', most).slice(0, 40)}\n` },
    ]);
  const outlets = await Promise.all(
    (proofs.get(name)?.answering ?? []).map(
      async (each) => [`${name} over ${each.over}`, await outletsOf(name, each)] as const,
    ),
  );
  const isTar = backups.get(name)?.(device).format === 'tar';
  const seen = extentOf(name, isTar);
  const asks = (await seen(Buffer.from('2026-11-20\n')).catch(() => undefined)) !== undefined;
  return [
    ...(asks
      ? [
          {
            reader: `models: what ${name} says about its login`,
            most: table,
            worst: aboutLogin,
            read: seen,
          },
        ]
      : []),
    ...(backups.has(name) && !isTar
      ? [
          {
            reader: `models: a configuration of ${name}`,
            most: configuration,
            worst: begun(beginnings, configuration),
            read: configurationOf(name),
          },
        ]
      : []),
    ...(hosts
      ? [
          {
            reader: `models: hosts that ${name} has seen`,
            most: table,
            worst: begun(tableBeginnings, table),
            read: (bytes: Buffer) =>
              hosts.read({
                connection: { ...answering(device, () => bytes), download: async () => bytes },
                credentials,
                signal,
              }),
          },
        ]
      : []),
    ...outlets.flatMap(([each, read]) =>
      read ? [{ reader: `models: outlets of ${each}`, most: table, read }] : [],
    ),
  ];
}

const equipment = (await Promise.all([...models.keys()].map(rowsOf))).flat();

const ios = backups.get('cisco-ios')?.(deviceOf('cisco-ios'));
const message = '*Nov 20 10:00:00.000: %SYS-5-CONFIG_I: ';
const compared: readonly Row[] = [
  {
    reader: 'models: two readings with other messages',
    most: configuration,
    worst: [
      { piece: `${message}${'a'.repeat(600)}\n` },
      { piece: `${message}${'a.'.repeat(3000)}\n` },
      { piece: `${message}\n` },
    ],
    read: inText((text) =>
      withoutMessages(text, text.replaceAll('\n', 'x\n'), {
        messages: ios?.messages ?? [],
        volatile: ios?.volatile ?? [],
      }),
    ),
  },
];

const archives: readonly Row[] = [
  {
    reader: 'models: an archive of linux',
    most: { bytes: 32 * mebibyte },
    worst: [
      archiveOf(20_000, (n) => ({ name: `${n}` })),
      archiveOf(20_000, (n) => ({ name: `${'a/'.repeat(45)}${n}` })),
      archiveOf(400, () => ({ name: 'x', kind: 'x', content: '5 a=\n'.repeat(13_000) })),
      archiveOf(400, () => ({ name: 'L', kind: 'L', content: 'a/'.repeat(2000) })),
      archiveOf(1, () => ({ name: 'x', kind: 'x', content: '5 a=\n'.repeat(200_000) })),
    ],
    read: async (bytes) => [await readTar({ bytes }), await membersToWrite({ bytes })],
  },
  {
    reader: 'models: an archive of openwrt',
    most: configuration,
    worst: [
      gzipSync(archiveOf(8000, (n) => ({ name: `${n}` }))),
      gzipSync(archiveOf(8000, (n) => ({ name: `${'a/'.repeat(45)}${n}` }))),
      gzipSync(Buffer.alloc(64 * mebibyte)),
    ],
    read: configurationOf('openwrt'),
  },
];

/** What a program may print that the agent runs: `mostBytes` of its `agent.ts`. */
const printed = { bytes: 256 * kibibyte };
const list = 'List of devices attached\n';
const current = 'Current temperatures from HAL:\n';
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  ...android,
  readThermal: (text) => android.readThermal(text, 20),
  osNames: (text) => linux.osNames(text, text),
  cpuNames: (text) => linux.cpuNames('x86_64', 64, { vendor: 'GenuineIntel', name: text }),
  readCpuInfo: linux.readCpuInfo,
  readGpus: linux.readGpus,
  readSysfsSensors: linux.readSysfsSensors,
  linesOf: texts.linesOf,
  readAssignments: texts.readAssignments,
  readUptime: texts.readUptime,
  readIdeviceInfo,
  readUdids,
  complaint: (text) => complaint({ status: 1, stdout: text, stderr: text }),
  excerpt,
};
/** Functions of `devices/parse` that get no text of a device. */
export const withoutText: readonly string[] = ['gpuNames', 'linuxDimensions', 'plausibleCelsius'];
export const phoneReaders: readonly string[] = Object.keys(readers);
export const parsers: readonly string[] = [android, linux, texts].flatMap((all) =>
  Object.keys(all),
);

const phones: readonly Row[] = Object.entries(readers).map(([name, read]) => ({
  reader: `phones: ${name}`,
  most: printed,
  worst: [
    { begin: list, piece: ' ' },
    { begin: list, piece: 'a device:\n' },
    { begin: `${list}x            device`, piece: ' 1-1' },
    { begin: '[a]: [b\n', piece: 'a\n' },
    { piece: 'connected_at_millis=1\n' },
    { begin: current, piece: ' Temperature{mValue=1, mName=a}\n' },
    { begin: `${current} Temperature{mValue=1, mName=`, piece: '-volt', end: '}' },
    { begin: ' ', piece: 'Aa ' },
    { begin: 'a'.repeat(30), piece: ' ' },
    { begin: 'a="', piece: '\\a' },
  ],
  read: inText(read),
}));

type Call = (client: ReturnType<typeof clientOf>) => unknown;

function clientOf(message: Buffer, status: number, mostBytes: number) {
  const headers = { 'content-type': 'application/json' };
  const fetch = async () => new Response(new Uint8Array(message), { status, headers });
  return createClient(swarmingClientApi, { baseUrl: 'http://agent', mostBytes, fetch });
}

function ofAgent(what: string, bytes: number, call: Call, status = 200): Row {
  return {
    reader: `agents: ${what}`,
    most: { bytes },
    worst: [
      { begin: '{"lines":[', piece: '{"at":1,"text":"a"},', end: '{}]}' },
      { begin: '{"a":"', piece: '\\n', end: '"}' },
      { begin: '[', piece: '{},', end: '{}]' },
    ],
    read: (message) => call(clientOf(message, status, bytes)),
  };
}

const others: readonly Row[] = [
  ofAgent('status', 128 * kibibyte, (agent) => agent.status({})),
  ofAgent('log', 4 * mebibyte, (agent) => agent.log({ query: {} })),
  ofAgent('no screen', 32 * mebibyte, (agent) => agent.screen({ body: {} }), 500),
  {
    reader: 'api: a packet of events',
    most: { bytes: 64 * kibibyte },
    worst: [{ piece: 'data\n' }, { piece: 'data: \n\n' }],
    async read(message) {
      async function* chunks() {
        yield message;
      }
      for await (const _ of serverEvents(chunks())) undefined;
    },
  },
  {
    reader: 'router-backup: syslog',
    most: datagram,
    worst: [{ begin: 'a a a system,info ', piece: 'added ' }],
    read: changeInSyslog,
  },
  {
    reader: 'router-backup: a trap',
    most: datagram,
    worst: [{ piece: '\x30\x00' }],
    read(message) {
      const trap = readTrap(message);
      return trap && changeInTrap(trap);
    },
  },
];

export const rows: readonly Row[] = [
  ...transports,
  ...ssh,
  ...described,
  ...equipment,
  ...compared,
  ...archives,
  ...phones,
  ...others,
];
