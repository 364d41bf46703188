/**
 * Two computers that may both be the jumphost, at one cable. Every process is the program of the jumphost; a computer that an attacker
 * has sends what it likes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBootId } from '@skolo/base';
import { run, tempDir } from '@skolo/base/testing';
import { newRackKey, type Statement, statementGroup, statementPort } from '@skolo/rack/jumphost';
import { describe, expect, it, type TestContext, vi } from 'vitest';
import { probeFile } from '../address/probe.ts';
import { Cable, type CableComputer, whyNoCable } from '../testing/cable.ts';

const why = await whyNoCable();
const patience = { interval: 100 };
const power = '/var/lib/skolo/power-cycle-daemon/jumphost.json';
const released = [
  'stop skolo-active.service',
  'kill --signal=KILL k3s.service skolo-power-cycle-daemon.service',
  'kill --signal=KILL kubepods.slice',
];

async function makeCable({ onTestFinished }: TestContext): Promise<Cable> {
  const cable = await Cable.make(newRackKey());
  onTestFinished(() => cable.scrap());
  return cable;
}

async function give(computer: CableComputer, address: string): Promise<void> {
  const length = address.includes(':') ? 64 : 24;
  await computer.ip('address', 'add', `${address}/${length}`, 'dev', 'eth0', 'nodad');
}

const addressesOf = (computer: CableComputer) =>
  computer.ip('-o', 'address', 'show', 'dev', 'eth0', 'scope', 'global');
const toldTo = async (computer: CableComputer) =>
  (await computer.read('/bin/systemctl.told'))?.trim().split('\n');
/** What its power-cycle daemon finds. */
const powerOf = async (computer: CableComputer) =>
  JSON.parse((await computer.read(power)) ?? 'null');

describe.skipIf(why).concurrent(`two jumphosts`, () => {
  it.for([
    ['IPv4', '192.168.99.8', undefined],
    ['IPv6', 'fd00:99::8', 100],
  ] as const)(
    'the old one is first, with an address of %s: it releases everything',
    async ([, address, epoch], context) => {
      const cable = await makeCable(context);
      const old = await cable.plug(epoch);
      const next = await cable.plug(200);
      await give(old, address);
      const guard = old.start('guard', address);
      await vi.waitFor(async () => expect(await powerOf(old)).not.toBeNull(), patience);

      const gate = next.start('gate', address);

      expect(await guard.ended).toBe(3);
      expect(await addressesOf(old)).toBe('');
      expect(await toldTo(old)).toEqual(released);
      expect(await powerOf(old)).toMatchObject({ retiredBy: { epoch: 200 } });
      expect(await gate.ended).toBe(0);
      // After a reboot, with nobody at the cable.
      expect(await old.start('gate', address).ended).toBe(3);
    },
  );

  it('the new one is first: the old one does not serve, nor after a reboot without the new one', async (context) => {
    const cable = await makeCable(context);
    const old = await cable.plug(100);
    const next = await cable.plug(200);
    await give(next, '192.168.99.8');
    const guard = next.start('guard', '192.168.99.8');
    await vi.waitFor(async () => expect(await powerOf(next)).not.toBeNull(), patience);

    expect(await old.start('gate', '192.168.99.8').ended).toBe(3);

    guard.kill();
    await next.ip('link', 'set', 'eth0', 'down');
    expect(await old.start('gate', '192.168.99.8').ended).toBe(3);
    expect(await powerOf(next)).toEqual({ retiredBy: null, conflict: null });
  });

  it('waits for an interface that gets its name after the gate has started, and turns it on', async (context) => {
    const cable = await makeCable(context);
    const computer = await cable.plug();
    await computer.ip('link', 'set', 'eth0', 'down');
    await computer.ip('link', 'set', 'eth0', 'name', 'unnamed');
    const gate = computer.start('gate', '192.168.99.8');
    // The gate, and its probe.
    const programs = async () =>
      (await run('ip', ['netns', 'pids', computer.name])).stdout.match(/\d+/g);
    await vi.waitFor(async () => expect(await programs()).toHaveLength(2), patience);

    await computer.ip('link', 'set', 'unnamed', 'name', 'eth0');

    expect(await gate.ended).toBe(0);
    expect(await computer.ip('link', 'show', 'dev', 'eth0')).toContain('state UP');
  });

  it('both start at once: only the one with the higher epoch serves', async (context) => {
    const cable = await makeCable(context);
    const old = await cable.plug();
    const next = await cable.plug(200);

    const gates = [old, next].map((each) => each.start('gate', '192.168.99.8').ended);

    expect(await Promise.all(gates)).toEqual([3, 0]);
  });

  it('the old one serves again where a later statement names it', async (context) => {
    const cable = await makeCable(context);
    const old = await cable.plug(300);
    const next = await cable.plug(200);
    const retired = JSON.stringify(cable.statementFor(next, 200));
    await old.write('/var/lib/skolo-active/retired-by.json', retired);

    expect(await old.start('gate', '192.168.99.8').ended).toBe(0);
  });

  it.for(['192.168.99.8', 'fd00:99::8'])(
    'a host that holds %s for a while is reported, and only delays it',
    async (address, context) => {
      const cable = await makeCable(context);
      const jumphost = await cable.plug(100);
      const booting = await cable.plug();
      await give(booting, address);

      const gate = jumphost.start('gate', address);
      const conflict = await vi.waitFor(async () => {
        const found = (await powerOf(jumphost))?.conflict;
        expect(found).toMatchObject({ mac: '02:00:00:00:00:02' });
        return found;
      }, patience);
      await booting.ip('address', 'flush', 'dev', 'eth0', 'scope', 'global');

      expect(await gate.ended).toBe(0);
      expect(await gate.printed).toContain(
        `${address}: the computer with MAC address 02:00:00:00:00:02 is using the jumphost's address, but has not identified itself as a newer jumphost of rack4`,
      );
      expect(conflict).toEqual({
        mac: '02:00:00:00:00:02',
        uptime: expect.any(Number),
        boot: readBootId(),
      });
    },
  );

  it.for([
    ['fd00:99::8', 'fd00:99::20'],
    ['192.168.99.8', '192.168.99.20'],
  ] as const)(
    'a host that holds %s for ever, and only pretends to be a jumphost, does not keep it from starting',
    async ([address, other], context) => {
      const cable = await makeCable(context);
      const [jumphost, pi, witness] = [
        await cable.plug(100),
        await cable.plug(),
        await cable.plug(),
      ];
      const old = cable.statementFor(witness, 50);
      const keys = await makeKeys(context);
      await keys.giveTo(jumphost);
      await give(pi, address);
      await give(witness, other);
      serveSsh(pi, keys.other);
      pi.script(
        attackWith([
          JSON.stringify({ skolo: 'jumphost/1', ask: false, rack: 'rack4', statement: old }),
        ]),
      );
      expect(await macAt(witness, address)).toBe('02:00:00:00:00:02');

      const gate = jumphost.start('gate', address, 4);

      expect(await gate.ended).toBe(0);
      expect(await gate.printed).toContain('This computer becomes active, and defends the address');
      expect((await powerOf(jumphost)).conflict).toEqual({
        mac: '02:00:00:00:00:02',
        uptime: expect.any(Number),
        boot: readBootId(),
      });
      // As Debian does it: with a test for another holder, where the kernel has one.
      await jumphost.ip(
        'address',
        'add',
        `${address}/${address.includes(':') ? 64 : 24}`,
        'dev',
        'eth0',
      );
      jumphost.start('guard', address);
      await vi.waitFor(async () => {
        expect(await macAt(witness, address)).toBe('02:00:00:00:00:01');
        expect(await addressesOf(jumphost)).not.toMatch(/tentative|dadfailed/);
        expect((await powerOf(jumphost))?.conflict).toMatchObject({ mac: '02:00:00:00:00:02' });
      }, patience);
    },
  );

  it.for([false, true])(
    'waits for a jumphost without a statement, as its SSH host key proves (own sshd: %s)',
    async (hasOwnSshd, context) => {
      const cable = await makeCable(context);
      const [jumphost, old] = [await cable.plug(), await cable.plug()];
      const keys = await makeKeys(context);
      await keys.giveTo(jumphost);
      if (hasOwnSshd) serveSsh(jumphost, keys.own, journal(jumphost));
      await give(old, '192.168.99.8');
      const server = serveSsh(old, keys.own);

      const gate = jumphost.start('gate', '192.168.99.8', 4);
      const evidence = 'SSH host key';
      await vi.waitFor(
        async () => expect((await powerOf(jumphost))?.conflict).toMatchObject({ evidence }),
        patience,
      );
      server.kill();

      expect(await gate.ended).toBe(0);
      expect(await gate.printed).toContain(
        `and its ${evidence} proves that it is a jumphost of rack4, or relays to one; turn one of the jumphosts off`,
      );
    },
  );

  it.for([
    'is its own',
    'is its own at another port',
    'keeps no log',
    'keeps a log that cannot be read',
  ])(
    'does not take for another jumphost what passes on the key of an sshd that %s',
    async (how, context) => {
      const cable = await makeCable(context);
      const [jumphost, pi] = [await cable.plug(), await cable.plug()];
      const keys = await makeKeys(context);
      await keys.giveTo(jumphost);
      const port = how === 'is its own at another port' ? 2222 : 22;
      serveSsh(jumphost, keys.own, how === 'keeps no log' ? undefined : journal(jumphost), port);
      if (how === 'keeps a log that cannot be read') {
        await jumphost.write('/bin/journalctl', '#!/bin/sh\necho unreadable >&2\nexit 1\n', 0o755);
      }
      await give(pi, '192.168.99.8');
      const relayed = pi.script(relayTo(await linkLocalOf(jumphost), port));

      const gate = jumphost.start('gate', '192.168.99.8', 4);

      expect(await gate.ended).toBe(0);
      expect(await gate.printed).toContain('without evidence that it is a jumphost of rack4');
      relayed.kill();
      expect(await relayed.printed).toContain('relayed');
    },
  );

  it.for(['gate', 'guard'] as const)(
    'a %s that starts forgets a conflict only if it is from an earlier boot',
    async (command, context) => {
      const conflict = { mac: '02:00:00:00:00:02', uptime: 1 };
      const boots = [{ boot: readBootId() }, { boot: 'earlier' }, {}];
      const found = boots.map(async (boot) => {
        const jumphost = await (await makeCable(context)).plug();
        const before = {
          conflict: { ...conflict, ...boot },
          retiredBy: { epoch: 1, machine: 'x' },
        };
        await jumphost.write(power, JSON.stringify(before));
        const { ended } = jumphost.start(command, '192.168.99.8');
        if (command === 'gate') expect(await ended).toBe(0);
        // The first that a guard does afterwards.
        else
          await vi.waitFor(
            async () => expect((await powerOf(jumphost)).retiredBy).toBeNull(),
            patience,
          );
        return (await powerOf(jumphost)).conflict;
      });

      expect(await Promise.all(found)).toEqual([{ ...conflict, ...boots[0] }, null, null]);
    },
  );

  it('defends its address at most once in ten seconds', async (context) => {
    const cable = await makeCable(context);
    const [jumphost, pi] = [await cable.plug(), await cable.plug()];
    await give(jumphost, '192.168.99.8');
    // Prints the number of announcements, once there have been none for a while.
    const counter = pi.run('perl', '-e', countAnnouncements, '020000000001');
    jumphost.start('guard', '192.168.99.8');
    await vi.waitFor(async () => expect(await powerOf(jumphost)).not.toBeNull(), patience);

    for (let time = 0; time < 5; time += 1) {
      await pi.run(join(pi.root, probeFile), 'eth0', '192.168.99.8', 'announce').ended;
    }

    await vi.waitFor(
      async () => expect((await powerOf(jumphost)).conflict).not.toBeNull(),
      patience,
    );
    expect(await counter.printed).toBe('1');
  });

  it.for(['its own address', '40 addresses', 'the address of the new one'])(
    'junk from %s does not hide the statement that retires it',
    async (source, context) => {
      const cable = await makeCable(context);
      const old = await cable.plug(100);
      const next = await cable.plug(200);
      const neighbour = await cable.plug();
      await give(old, '192.168.99.8');
      const guard = old.start('guard', '192.168.99.8');
      await vi.waitFor(async () => expect(await powerOf(old)).not.toBeNull(), patience);
      const many = Array.from({ length: 40 }, (_, n) => `fe80::${n + 1}`);
      const sources = {
        'its own address': [],
        '40 addresses': many,
        'the address of the new one': [await linkLocalOf(next)],
      }[source];
      for (const each of sources ?? []) {
        await neighbour.ip('address', 'add', `${each}/64`, 'dev', 'eth0', 'nodad');
      }
      const forged = cable.statementFor(next, 300, newRackKey());
      const message = { skolo: 'jumphost/1', ask: true, rack: 'rack4', statement: forged };
      const flag = join(neighbour.root, 'flooding');
      const flood = neighbour.script(floodWith(JSON.stringify(message), sources ?? [], flag));
      await vi.waitFor(async () => expect(await neighbour.read('/flooding')).toBe('yes'), patience);

      const gate = next.start('gate', '192.168.99.8');

      expect(await guard.ended).toBe(3);
      expect(await gate.ended).toBe(0);
      flood.kill();
    },
  );

  it('a neighbour cannot retire it: forged, replayed and malformed statements, and a flood of them', async (context) => {
    const cable = await makeCable(context);
    const jumphost = await cable.plug(200);
    const old = await cable.plug();
    const neighbour = await cable.plug();
    await give(jumphost, '192.168.99.8');
    const guard = jumphost.start('guard', '192.168.99.8');
    await vi.waitFor(async () => expect(await powerOf(jumphost)).not.toBeNull(), patience);
    const valid = cable.statementFor(old, 300);
    const forged = cable.statementFor(old, 300, newRackKey());
    const message = (statement: unknown, rack = 'rack4') =>
      JSON.stringify({ skolo: 'jumphost/1', ask: false, rack, statement });
    const datagrams = [
      message(forged),
      message({ ...cable.statementFor(old, 100), epoch: 300 }),
      // Replays: of an old jumphost, of its own, of itself later.
      message(cable.statementFor(old, 100)),
      message(cable.statementFor(jumphost, 200)),
      message(cable.statementFor(jumphost, 400)),
      // Of another rack, with the same key.
      message(valid, 'rack5'),
      message({ ...valid, rack: 'rack5' }),
      ...['', '{', 'null', '[]', '{"skolo":"jumphost/1"}', message({ ...valid, more: 1 })],
      message({ ...valid, epoch: 3e20 }),
      message({ ...valid, signature: 'A'.repeat(88) }),
      `${message(valid)}${' '.repeat(1100)}`,
    ];
    // Asks until the answer of the jumphost comes, so that all before it have been read.
    const attack = neighbour.script(attackWith([...datagrams, message(forged)], 2000));

    expect(JSON.parse(await attack.printed)).toEqual({
      skolo: 'jumphost/1',
      ask: false,
      rack: 'rack4',
      statement: cable.statementFor(jumphost, 200) satisfies Statement,
    });
    expect(await addressesOf(jumphost)).toContain('192.168.99.8');
    expect(await toldTo(jumphost)).toBeUndefined();
    // Whoever sends a valid one tells the truth.
    expect(await neighbour.script(attackWith([message(valid)])).ended).toBe(0);
    expect(await guard.ended).toBe(3);
  });

  it('is released also where it is killed in between', async (context) => {
    const cable = await makeCable(context);
    const old = await cable.plug(100);
    const next = await cable.plug(200);
    await give(old, '192.168.99.8');
    // The first command to systemd kills who gave it.
    await old.write(
      '/bin/systemctl',
      '#!/bin/sh\n[ -e "$0.told" ] || { echo killed > "$0.told"; kill -9 "$PPID"; exit 1; }\necho "$*" >> "$0.told"\n',
      0o755,
    );
    const guard = old.start('guard', '192.168.99.8');
    await vi.waitFor(async () => expect(await powerOf(old)).not.toBeNull(), patience);
    const gate = next.start('gate', '192.168.99.8');
    expect(await guard.ended).toBe(-1);
    expect(await powerOf(old)).toMatchObject({ retiredBy: { epoch: 200 } });

    expect(await old.start('guard', '192.168.99.8').ended).toBe(3);

    expect(await toldTo(old)).toEqual(['killed', ...released]);
    expect(await gate.ended).toBe(0);
  });
});

/**
 * A script that sends these to all jumphosts.
 *
 * @param flood so often it sends the last one, and then prints the answer to a question; 0: without question
 */
function attackWith(datagrams: readonly string[], flood = 0): string {
  const question = JSON.stringify({ skolo: 'jumphost/1', ask: true, rack: 'rack4' });
  return `
import { createSocket } from 'node:dgram';
const socket = createSocket({ type: 'udp6', reuseAddr: true });
const send = (text) => new Promise((resolve) => socket.send(text, ${statementPort}, '${statementGroup}', resolve));
socket.on('message', (bytes) => {
  const text = bytes.toString();
  if (!text.includes('"statement"')) return;
  console.log(text);
  process.exit(0);
});
socket.bind(${statementPort}, '::', async () => {
  socket.addMembership('${statementGroup}', '::%eth0');
  socket.setMulticastInterface('::%eth0');
  socket.setMulticastLoopback(false);
  // Until its link-local address may be used.
  while (await send('{}')) await new Promise((resolve) => setTimeout(resolve, 100));
  for (const text of ${JSON.stringify(datagrams)}) await send(text);
  for (let sent = 0; sent < ${flood}; sent += 1) await send(${JSON.stringify(datagrams.at(-1))});
  if (${flood} > 0) setInterval(() => send(${JSON.stringify(question)}), 300);
  else process.exit(0);
});`;
}

/** Of a jumphost, and of others. */
async function makeKeys({ onTestFinished }: TestContext) {
  const dir = await tempDir(onTestFinished);
  const script = `cd ${dir}
for each in own other; do ssh-keygen -q -t ed25519 -N '' -f $each; done
mkdir -p /run/sshd`;
  await run('sh', ['-ec', script]);
  const text = (name: string) => readFile(join(dir, name), 'utf8');
  return {
    own: join(dir, 'own'),
    other: join(dir, 'other'),
    async giveTo(computer: CableComputer) {
      await computer.write('/etc/ssh/ssh_host_ed25519_key.pub', await text('own.pub'));
    },
  };
}

/** @param log absent: it keeps none */
function serveSsh(computer: CableComputer, key: string, log?: string, port = 22) {
  const options = [
    'ListenAddress=::',
    `Port=${port}`,
    'PidFile=none',
    'UsePAM=no',
    `Banner=${key}.pub`,
  ];
  const flags = options.flatMap((each) => ['-o', each]);
  const logging = log === undefined ? ['-q'] : ['-E', log];
  return computer.run('/usr/sbin/sshd', '-D', ...logging, '-f', '/dev/null', '-h', key, ...flags);
}

/** The file that its journalctl reads. */
function journal(computer: CableComputer): string {
  return join(computer.root, '/bin/journal');
}

/** Passes on what arrives at port 22, and says so. */
function relayTo(address: string, port: number): string {
  return `
import { connect, createServer } from 'node:net';
createServer((socket) => {
  const other = connect(${port}, '${address}%eth0');
  for (const each of [socket, other]) each.on('error', () => undefined);
  socket.pipe(other).pipe(socket);
  console.log('relayed');
}).listen(22, '::');`;
}

/** The computer that has an address, as this one knows it. */
async function macAt(computer: CableComputer, address: string): Promise<string | undefined> {
  await computer.run('ping', '-c', '1', '-W', '1', address).ended;
  const line = await computer.ip('neighbour', 'show', 'to', address, 'dev', 'eth0');
  return / lladdr (\S+)/.exec(line)?.[1];
}

/** Prints how many ARP announcements a computer has sent, five seconds after the last one. */
const countAnnouncements = `
socket(my $socket, 17, 3, unpack('S', pack('n', 0x0806))) or die;
my $mac = pack('H12', $ARGV[0]);
for (my ($count, $wait) = (0, 60); ; ) {
  vec(my $ready = '', fileno($socket), 1) = 1;
  if (!select($ready, undef, undef, $wait)) { print $count; exit; }
  recv($socket, my $got, 2048, 0) // next;
  next if substr($got, 22, 6) ne $mac || substr($got, 28, 4) ne substr($got, 38, 4);
  ($count, $wait) = ($count + 1, 5);
}`;

async function linkLocalOf(computer: CableComputer): Promise<string> {
  const text = await vi.waitFor(async () => {
    const found = await computer.ip('-6', '-o', 'address', 'show', 'dev', 'eth0', 'scope', 'link');
    expect(found).not.toBe('');
    return found;
  }, patience);
  return /inet6 ([^/]+)/.exec(text)?.[1] ?? '';
}

/** Sends it 3,000 times a second, until it is killed. */
function floodWith(datagram: string, sources: readonly string[], flag: string): string {
  return `
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
const sockets = ${JSON.stringify(sources.length === 0 ? ['::'] : sources.map((each) => `${each}%eth0`))}.map((address) => {
  const socket = createSocket({ type: 'udp6', reuseAddr: true });
  return socket.bind(0, address, () => socket.setMulticastInterface('::%eth0'));
});
let sent = 0;
setInterval(() => {
  for (let n = 0; n < 30; n += 1, sent += 1) {
    const send = sockets[sent % sockets.length];
    send.send(${JSON.stringify(datagram)}, ${statementPort}, '${statementGroup}', () => undefined);
  }
  if (sent > 3000) writeFileSync('${flag}', 'yes');
}, 10);`;
}
