import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { run } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { freeUdpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { smallRack } from '../testing/small-rack.ts';
import { Notices, type NoticesDeps } from './index.ts';

const snmpget = peer('snmp-tools');
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.family === 'IPv6');
const changed = '<189>1: %SYS-5-CONFIG_I: Configured from console by ann on vty0';

const oneSwitch = '{ switch-1: { model: cisco-ios, address: 127.0.0.1 } }';

interface Opened {
  notices: Notices;
  changes: [device: string, notice: string][];
  lines: [fields: object, message: string][];
  troubles: Map<string, string>;
  /** Another rack.yaml is in effect. */
  edit: (settings: string, equipment?: string) => Promise<void>;
  port: number;
}

async function open(
  settings: (port: number) => string,
  { equipment = oneSwitch, ...deps }: Partial<NoticesDeps> & { equipment?: string } = {},
): Promise<Opened> {
  const port = await freeUdpPort();
  let rack = smallRack({ equipment, settings: `{ notices: ${settings(port)} }` });
  const changes: Opened['changes'] = [];
  const lines: Opened['lines'] = [];
  const troubles = new Map<string, string>();
  const say = (fields: object, message: string) => void lines.push([fields, message]);
  const notices = new Notices({
    rack: () => rack,
    log: { info: say, warn: say, debug: () => undefined },
    emit(event) {
      if (event.type === 'device-changed') changes.push([event.device, event.notice]);
      if (event.type !== 'degraded') return;
      if (event.why === undefined) troubles.delete(event.what);
      else troubles.set(event.what, event.why);
    },
    ...deps,
  });
  onTestFinished(() => notices.close());
  await notices.follow();
  return {
    notices,
    changes,
    lines,
    troubles,
    port,
    async edit(next, nextEquipment = equipment) {
      rack = smallRack({ equipment: nextEquipment, settings: `{ notices: ${next} }` });
      await notices.follow();
    },
  };
}

/** Sends datagrams from a loopback address, in order. */
async function send(
  to: number,
  messages: readonly (string | Buffer)[],
  { from = '127.0.0.1', host = '127.0.0.1' } = {},
): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, from);
  await once(socket, 'listening');
  for (const message of messages) {
    await new Promise<void>((resolve) => socket.send(message, to, host, () => resolve()));
  }
  socket.close();
}

const syslogAt = (port: number) => `{ syslogPort: ${port}, settleSeconds: 1 }`;

describe('a device that reports a change', () => {
  it.for([
    ['--rfc3164', ['--rfc3164', '-t', '%SYS-5-CONFIG_I']],
    ['--rfc5424', ['--rfc5424', '-t', 'router']],
  ] as const)('is received from logger %s', async ([, args], context) => {
    const isThere = await run('logger', ['--version']).catch(() => undefined);
    if (!isThere) return context.skip('logger is not installed (Debian: bsdutils)');
    const { changes, port } = await open(syslogAt);

    await run('logger', [
      ...['-n', '127.0.0.1', '-P', String(port), '-d', ...args],
      '%SYS-5-CONFIG_I: Configured from console by ann',
    ]);

    await expect.poll(() => changes).toEqual([['switch-1', 'syslog SYS-CONFIG']]);
  });

  it('is received from snmptrap, and an inform is answered', async (context) => {
    if (!snmpget) return context.skip('snmptrap is not installed (Debian: snmp)');
    const { changes, port } = await open((free) => `{ trapPort: ${free}, settleSeconds: 1 }`);
    const program = snmpget.replace(/snmpget$/, 'snmptrap');

    await run(
      program,
      [
        ...['-Ci', '-v', '2c', '-c', 'x', '-t', '5', '-r', '1', `127.0.0.1:${port}`],
        ...['', '1.3.6.1.4.1.2636.4.5.0.1'],
      ],
      { env: { ...process.env, MIBS: '' } },
    );

    await expect.poll(() => changes).toEqual([['switch-1', 'trap jnxCmCfgChange']]);
  });

  it('is found by its address alone, whatever the form', async () => {
    const equipment = `{
      switch-1: { model: cisco-ios, address: 127.0.0.1 },
      switch-2: { model: cisco-ios, address: 127.0.2.2 },
      switch-3: { model: cisco-ios, address: 127.0.2.3, ports: { ssh: 1 } },
      switch-4: { model: cisco-ios, address: 127.0.2.3, ports: { ssh: 2 } },
    }`;
    const { changes, lines, port } = await open(syslogAt, { equipment, reportMs: 1 });

    await send(port, [changed], { from: '127.0.2.2' });
    const mapped = hasIpv6 ? { from: '::', host: '::ffff:127.0.0.1' } : {};
    await send(port, [changed], mapped);
    await send(port, [changed], { from: '127.0.2.3' });
    await send(port, [changed], { from: '127.0.2.9' });

    const all = [
      ['switch-1', 'syslog SYS-CONFIG'],
      ['switch-2', 'syslog SYS-CONFIG'],
    ];
    await expect.poll(() => changes.toSorted()).toEqual(all);
    await expect.poll(() => JSON.stringify(lines)).toContain('"several devices":1');
    expect(JSON.stringify(lines)).toContain('"unknown sender":1');
  });

  it('leaves no trace of its content', async () => {
    const { changes, lines, port } = await open(syslogAt, { reportMs: 1 });
    const secret = 'hunter2-canary';

    await send(port, [
      `<189>1: %PARSER-5-CFGLOG_LOGGEDCMD: User:ann  logged command:username x password ${secret}`,
      `<189>1: ${secret}`,
    ]);
    await send(port, [`<189>1: ${secret}`], { from: '127.0.2.9' });

    await expect.poll(() => changes.length).toBe(1);
    expect(JSON.stringify([changes, lines])).not.toContain(secret);
  });
});

describe('a flood', () => {
  it('is one backup and two lines', async () => {
    const { changes, lines, port } = await open(syslogAt, { mostPerSecond: 20, reportMs: 50 });

    await send(port, Array<string>(500).fill(changed));
    await send(port, Array<string>(500).fill('<1>noise'), { from: '127.0.2.9' });
    await expect.poll(() => changes.length).toBe(1);

    const ignored = lines.filter(([, message]) => message === 'notices ignored');
    expect(ignored.length).toBeLessThan(10);
  });

  it('of what is not understood does no harm', async () => {
    const { changes, lines, port } = await open(
      (free) => `{ trapPort: ${free}, settleSeconds: 1 }`,
      { reportMs: 1 },
    );
    const trap = Buffer.from(
      '305b02010104067075626c6963a74e020436466f880201000201003040300e06082b0601020101030043023039' +
        '3019060a2b060106030101040100060b2b0601040109092b0200013013060e2b0601040109092b010106010511020103',
      'hex',
    );

    await send(port, [Buffer.alloc(0), Buffer.alloc(60_000, 0x30), trap.subarray(0, 50), trap]);

    await expect.poll(() => changes).toEqual([['switch-1', 'trap ciscoConfigManEvent']]);
    expect(JSON.stringify(lines)).toContain('"not understood":');
  });
});

describe('rack.yaml, live', () => {
  it('opens, moves and closes the ports', async () => {
    const { notices, port, edit, changes } = await open(() => '{}');
    const byDefault = [notices.port('syslog'), notices.port('traps')];
    const other = await freeUdpPort();

    await edit(syslogAt(port));
    const first = notices.port('syslog');
    await edit(`{ trapPort: ${port}, syslogPort: ${other}, settleSeconds: 1 }`);
    const moved = [notices.port('syslog'), notices.port('traps')];
    await send(other, [changed]);
    await expect.poll(() => changes.length).toBe(1);
    await edit('{}');

    expect(byDefault).toEqual([undefined, undefined]);
    expect(first).toBe(port);
    expect(moved).toEqual([other, port]);
    expect(notices.port('syslog')).toBeUndefined();
    expect(notices.port('traps')).toBeUndefined();
  });

  it('knows a new device at once, and one that left no more', async () => {
    const { port, edit, changes } = await open(syslogAt, { equipment: '{}' });

    await edit(syslogAt(port), oneSwitch);
    await send(port, [changed]);
    await expect.poll(() => changes.length).toBe(1);
    await send(port, [changed]);
    await edit(syslogAt(port), '{ switch-2: { model: cisco-ios, address: 127.0.0.1 } }');
    await send(port, [changed]);
    await expect.poll(() => changes.length).toBe(2);

    expect(changes.map(([device]) => device)).toEqual(['switch-1', 'switch-2']);
  });

  it('reports a port in use, and opens it when it is free', async () => {
    const socket = createSocket('udp4').bind(0);
    await once(socket, 'listening');
    const taken = socket.address().port;
    const { notices, troubles } = await open(() => syslogAt(taken), { retryMs: 5 });
    const trouble = troubles.get('notices syslog');

    socket.close();
    await expect.poll(() => notices.port('syslog')).toBe(taken);

    expect(trouble).toContain(
      `the port is in use; run ss -lunp sport = :${taken} to find the program that uses it`,
    );
    expect([...troubles]).toEqual([]);
  });
});
