/** How a hostile device sends: each function listens on loopback, and returns its port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import ssh2 from 'ssh2';
import { makeSshKey } from '../equipment/cli/host-key.ts';
import {
  BerReader,
  encode,
  encodeInteger,
  encodeOctets,
  encodeOid,
  tags,
  toOid,
} from '../equipment/snmp/ber.ts';
import type { PatternName } from './patterns.ts';

const host = '127.0.0.1';

/** As in device.ts. */
interface CompleteAttack {
  pattern: PatternName;
  bytes: number;
  ends: boolean;
  honest: number;
  prompt: string;
  port: number;
  /** Calls it with each packet; it resolves when there is room for another. */
  pour(send: (packet: Buffer) => unknown): Promise<void>;
}

type Transport = (attack: CompleteAttack) => Promise<number>;

export type TransportName = 'ssh' | 'exec' | 'telnet' | 'http' | 'snmp' | 'mqtt';

export const transports: Readonly<Record<TransportName, Transport>> = {
  ssh,
  exec: ssh,
  telnet: (attack) => onTcp(attack, (socket) => commandLine(socket, attack)),
  http: (attack) => onTcp(attack, (socket) => http(socket, attack)),
  snmp,
  mqtt: (attack) => onTcp(attack, (socket) => mqtt(socket, attack)),
};

/** Resolves when there is room for more; never after the end of the stream. */
async function send(to: Duplex, bytes: Buffer): Promise<void> {
  if (to.destroyed || to.writableEnded) await new Promise(() => undefined);
  if (!to.write(bytes)) await once(to, 'drain');
}

async function onTcp({ port }: CompleteAttack, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  await once(server.listen(port, host), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Echoes what is typed, and answers each line by a prompt; a command after the honest ones also by the attack. */
function commandLine(stream: Duplex, { prompt, honest, ends, pour }: CompleteAttack): void {
  let typed = '';
  let commands = 0;
  let last = Promise.resolve();
  const attack = async () => {
    await pour((packet) => send(stream, packet));
    if (ends) await send(stream, Buffer.from(`\r\n${prompt}`));
    else await new Promise(() => undefined);
  };
  const answer = async (command: string) => {
    await send(stream, Buffer.from(`${command}\r\n`));
    if (command !== '') commands += 1;
    if (commands > honest && command !== '') await attack();
    else await send(stream, Buffer.from(prompt));
  };
  stream.on('error', () => undefined);
  stream.on('data', (bytes: Buffer) => {
    const lines = (typed + bytes.toString('latin1').replaceAll('\0', '')).split('\r');
    typed = lines.pop() ?? '';
    for (const command of lines) last = last.then(() => answer(command.trim()));
  });
  last = honest < 0 ? attack() : send(stream, Buffer.from(`\r\n${prompt}`));
}

async function ssh(attack: CompleteAttack): Promise<number> {
  const { pour, ends } = attack;
  const server = new ssh2.Server({ hostKeys: [makeSshKey().private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      const session = accept();
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('shell', (acceptShell) => commandLine(acceptShell(), attack));
      session.on('exec', async (acceptExec) => {
        const channel = acceptExec();
        channel.on('error', () => undefined).resume();
        await pour((packet) => send(channel, packet));
        if (!ends) return;
        channel.exit(0);
        channel.end();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(attack.port, host, () => resolve()));
  return (server.address() as AddressInfo).port;
}

/** Each packet is a chunk. The body is compressed if nothing else makes it large. */
function http(socket: Socket, { pattern, bytes, ends, pour }: CompleteAttack): void {
  socket.once('data', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n';
    if (pattern === 'long lines') {
      const bomb = gzipSync(Buffer.alloc(bytes, ' '));
      const length = bomb.length + (ends ? 0 : 1);
      await send(
        socket,
        Buffer.from(`${head}content-encoding: gzip\r\ncontent-length: ${length}\r\n\r\n`),
      );
      await send(socket, bomb);
      return;
    }
    await send(socket, Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n`));
    await pour((packet) =>
      send(
        socket,
        Buffer.concat([
          Buffer.from(`${packet.length.toString(16)}\r\n`),
          packet,
          Buffer.from('\r\n'),
        ]),
      ),
    );
    if (ends) socket.end('0\r\n\r\n');
  });
}

/** A table whose rows are the packets; `one-byte packets` repeats its first row, and `words` has OIDs of maximum length. */
async function snmp({ port, pattern, ends, bytes, pour }: CompleteAttack): Promise<number> {
  const socket = createSocket('udp4');
  const rows: Buffer[] = [];
  await pour((packet) => (rows.length < 100 ? rows.push(packet.subarray(0, 1000)) : undefined));
  let sent = 0;
  socket.on('message', (message, { port: to }) => {
    const whole = new BerReader(message).sequence();
    const [version, community] = [whole.integer(), whole.octets()];
    const { tag, content } = whole.read();
    const pdu = new BerReader(content);
    const [id, , most] = [pdu.integer(), pdu.integer(), pdu.integer()];
    const asked = toOid(pdu.sequence().sequence().read(tags.oid).content);
    const isGet = tag === 0xa0;
    const table = asked.split('.');
    const at = isGet ? 0 : Number(table.at(-1)) || 0;
    const varbinds = Array.from({ length: isGet ? 1 : Math.max(1, most) }, (_, i) => {
      if (isGet) return encode(tags.sequence, encodeOid(asked), encodeInteger(1));
      sent += 1000;
      const isOver = ends && sent > bytes;
      const next = pattern === 'one-byte packets' ? `${asked}.1` : `${asked}.${at + i + 1}`;
      const long = pattern === 'words' ? `.${Array(90).fill(4_000_000_000).join('.')}` : '';
      const oid = isOver ? '1.9.1' : `${next}${long}`;
      return encode(tags.sequence, encodeOid(oid), encodeOctets(rows[i % rows.length] ?? ''));
    });
    const list = encode(tags.sequence, ...varbinds);
    const response = encode(0xa2, encodeInteger(id), encodeInteger(0), encodeInteger(0), list);
    socket.send(
      encode(tags.sequence, encodeInteger(version), encodeOctets(community), response),
      to,
      host,
    );
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket.address().port;
}

const packetOf = { connect: 0x10, subscribe: 0x82, publish: 0x30 };

/** A broker whose messages are the packets, as QoS 1, which the client has to acknowledge; of one byte, they are PINGRESPs. */
function mqtt(socket: Socket, { pattern, pour }: CompleteAttack): void {
  socket.on('data', async (bytes) => {
    const kind = bytes[0];
    if (kind === packetOf.connect) await send(socket, Buffer.from([0x20, 2, 0, 0]));
    if (kind !== packetOf.subscribe) return;
    await send(socket, Buffer.from([0x90, 3, ...bytes.subarray(2, 4), 1]));
    let id = 0;
    await pour((packet) => {
      if (pattern === 'one-byte packets') return send(socket, Buffer.from([0xd0, 0]));
      id = (id % 0xffff) + 1;
      const body = Buffer.concat([
        Buffer.from([0, 1, 0x74, id >> 8, id & 255]),
        packet.subarray(0, 100),
      ]);
      return send(socket, Buffer.concat([Buffer.from([0x32, body.length]), body]));
    });
  });
}
