/** How a hostile device sends: each function listens on loopback, and returns its port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pause } from '@skolo/base';
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
  most?: { bytes: number; lines: number } | undefined;
  ends: boolean;
  prompt: string;
  /** Calls it with each packet; it resolves when there is room for another. */
  pour(send: (packet: Buffer) => unknown): Promise<void>;
}

type Transport = (attack: CompleteAttack) => Promise<number>;

export type TransportName = 'ssh' | 'ssh exec' | 'telnet' | 'HTTP' | 'SNMP' | 'MQTT';

export const transports: Readonly<Record<TransportName, Transport>> = {
  ssh,
  'ssh exec': ssh,
  telnet: (attack) => onTcp((socket) => commandLine(socket, attack)),
  HTTP: (attack) => {
    const bomb = gzipSync(Buffer.alloc(2 ** 26, ' '));
    return onTcp((socket) => http(socket, attack, bomb));
  },
  SNMP: snmp,
  MQTT: (attack) => onTcp((socket) => mqtt(socket, attack)),
};

const forever = new Promise<never>(() => undefined);

/** Resolves when there is room for more; never after the end of the stream. */
async function send(to: Writable, bytes: Buffer | string): Promise<void> {
  if (to.destroyed || to.writableEnded) await forever;
  if (!to.write(bytes)) await once(to, 'drain').catch(() => forever);
}

async function onTcp(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  await once(server.listen(0, host), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Echoes what is typed, and answers an empty line by a prompt, and a command by the attack. */
function commandLine(stream: Duplex, { prompt, ends, pour }: CompleteAttack): void {
  let typed = '';
  let last = send(stream, `\r\n${prompt}`);
  const answer = async (command: string) => {
    await send(stream, `${command}\r\n`);
    if (command !== '') await pour((packet) => send(stream, packet));
    if (command !== '' && !ends) await forever;
    await send(stream, `${command === '' ? '' : '\r\n'}${prompt}`);
  };
  stream.on('error', () => undefined);
  stream.on('data', (bytes: Buffer) => {
    const lines = (typed + bytes.toString('latin1').replaceAll('\0', '')).split('\r');
    typed = lines.pop() ?? '';
    for (const command of lines) last = last.then(() => answer(command.trim()));
  });
}

async function ssh(attack: CompleteAttack): Promise<number> {
  const { pattern, pour, ends } = attack;
  const server = new ssh2.Server({ hostKeys: [makeSshKey().private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', async (context) => {
      if (pattern !== 'questions') context.accept();
      else if (context.method !== 'keyboard-interactive') context.reject(['keyboard-interactive']);
      else {
        const prompts = Array.from({ length: 3000 }, () => ({ prompt: 'Code: ', echo: false }));
        await pour(() => new Promise<void>((resolve) => context.prompt(prompts, () => resolve())));
        if (ends) context.accept();
      }
    });
    client.on('session', (accept) => {
      const session = accept();
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('shell', (acceptShell) => commandLine(acceptShell(), { ...attack, pour: own }));
      session.on('exec', async (acceptExec) => {
        const channel = acceptExec();
        channel.on('error', () => undefined).resume();
        const to = pattern === 'standard error' ? channel.stderr : channel;
        await own((packet) => send(to, packet));
        if (!ends) return;
        channel.exit(0);
        channel.end();
      });
    });
    /** Messages of the connection instead of output. */
    const own: CompleteAttack['pour'] = (write) => {
      if (pattern === 'key exchanges') {
        return pour(() => new Promise<void>((resolve) => client.rekey(() => resolve())));
      }
      if (pattern !== 'channels') return pour(write);
      const open = () =>
        new Promise<void>((resolve) => client.forwardOut('x', 1, 'x', 1, () => resolve()));
      return pour(() => Promise.all(Array.from({ length: 500 }, open)));
    };
  });
  const serve = (socket: Socket) => server.injectSocket(socket);
  return await onTcp((socket) => {
    if (pattern !== 'lines before its version') return serve(socket);
    void pour((packet) => send(socket, packet)).then(() => (ends ? serve(socket) : undefined));
  });
}

/** Each packet is a chunk of the body, unless the pattern is one of headers or of a compressed body. */
function http(socket: Socket, { pattern, ends, pour }: CompleteAttack, bomb: Buffer): void {
  const status = 'HTTP/1.1 200 OK\r\n';
  const head = 'content-type: application/json\r\nconnection: close\r\n';
  const chunk = (packet: Buffer) =>
    Buffer.concat([Buffer.from(`${packet.length.toString(16)}\r\n`), packet, Buffer.from('\r\n')]);
  socket.once('data', async () => {
    if (pattern === 'headers') await send(socket, status);
    if (pattern === 'headers' || pattern === 'early hints') {
      await pour((packet) => send(socket, packet));
    }
    const begin = pattern === 'headers' ? head : status + head;
    if (pattern === 'compression') {
      const length = bomb.length + (ends ? 0 : 1);
      await send(socket, `${begin}content-encoding: gzip\r\ncontent-length: ${length}\r\n\r\n`);
      let isSent = false;
      await pour(async () => {
        if (isSent) await forever;
        isSent = true;
        await send(socket, bomb);
      });
    } else {
      await send(socket, `${begin}transfer-encoding: chunked\r\n\r\n`);
      await pour((packet) => send(socket, chunk(packet)));
      if (ends) socket.end('0\r\n\r\n');
    }
  });
}

/** Lists in lists, as deep as a datagram can be. */
function nestedInBer(): Buffer {
  let nested: Buffer = Buffer.alloc(0);
  while (nested.length < 1000) nested = encode(tags.sequence, nested);
  return nested;
}

/** A table whose values are the packets. It has no end if the attack has none. */
async function snmp({ pattern, ends, most, pour }: CompleteAttack): Promise<number> {
  const socket = createSocket('udp4');
  const values: Buffer[] = [];
  const toValue = (packet: Buffer) =>
    pattern === 'deep nesting' ? nestedInBer() : encodeOctets(packet.subarray(0, 1000));
  const left = { bytes: Number.POSITIVE_INFINITY, lines: Number.POSITIVE_INFINITY, ...most };
  socket.on('message', async (message, { port: to }) => {
    if (values.length === 0) {
      const take = (packet: Buffer) =>
        values.length < 100 ? values.push(toValue(packet)) : forever;
      void pour(take);
    }
    const whole = new BerReader(message).sequence();
    const [version, community] = [whole.integer(), whole.octets()];
    const { tag, content } = whole.read();
    const pdu = new BerReader(content);
    const [id, , repetitions] = [pdu.integer(), pdu.integer(), pdu.integer()];
    const asked = toOid(pdu.sequence().sequence().read(tags.oid).content);
    const isGet = tag === 0xa0;
    const at = isGet ? 0 : Number(asked.split('.').at(-1)) || 0;
    const varbinds = Array.from({ length: isGet ? 1 : Math.max(1, repetitions) }, (_, i) => {
      const value = values[i % values.length] ?? encodeInteger(1);
      left.bytes -= value.length;
      left.lines -= 1;
      const next = pattern === 'a loop' ? `${asked}.1` : `${asked}.${at + i + 1}`;
      const long =
        pattern === 'long identifiers' ? `.${Array(90).fill(4_000_000_000).join('.')}` : '';
      const oid = isGet ? asked : left.bytes < 0 || left.lines < 0 ? '1.9.1' : `${next}${long}`;
      return encode(tags.sequence, encodeOid(oid), value);
    });
    const respond = (requestId: number) => {
      const list = encode(tags.sequence, ...varbinds);
      const numbers = [requestId, 0, 0].map((number) => encodeInteger(number));
      const response = encode(0xa2, ...numbers, list);
      const parts = [encodeInteger(version), encodeOctets(community), response];
      socket.send(encode(tags.sequence, ...parts), to, host);
    };
    if (pattern === 'responses to other requests') {
      for (let i = 1; i < 300; i += 1) respond(id + i);
      if (!ends) return;
    }
    if (pattern === 'slow drip') await pause(500);
    respond(id);
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket.address().port;
}

const publish = 3;

/** Of QoS 1, which the client has to acknowledge. */
function mqttMessage(topic: string, id: number, payload: Buffer): Buffer {
  const [name, numbers] = [Buffer.from(topic), Buffer.alloc(4)];
  numbers.writeUInt16BE(name.length);
  numbers.writeUInt16BE(id, 2);
  const parts = [numbers.subarray(0, 2), name, numbers.subarray(2), payload];
  const body = Buffer.concat(parts);
  const length = [(body.length & 127) | 128, ((body.length >> 7) & 127) | 128, body.length >> 14];
  return Buffer.concat([Buffer.from([0x32, ...length]), body]);
}

/** A broker whose messages are the packets, each in a topic of its own. `ends`: the plug reports that it is on. */
function mqtt(socket: Socket, { pattern, ends, pour }: CompleteAttack): void {
  let id = 0;
  const message = (topic: string, payload: Buffer) => {
    id = (id % 0xffff) + 1;
    return mqttMessage(topic, id, payload);
  };
  const attack = async () => {
    await pour(async (packet) => {
      if (pattern === 'responses to pings') return send(socket, packet);
      const whole = message(`x/${id}`, packet);
      if (packet.length > 1) return send(socket, whole);
      for (const byte of whole) await send(socket, Buffer.of(byte));
    });
    if (ends) await send(socket, message('stat/plug/POWER1', Buffer.from('ON')));
  };
  socket.on('data', async (bytes) => {
    const kind = (bytes[0] ?? 0) >> 4;
    if (kind === 1) await send(socket, Buffer.from([0x20, 2, 0, 0]));
    if (kind === 8) {
      await send(socket, Buffer.from([0x90, 3, ...bytes.subarray(2, 4), 1]));
    }
    if (kind === publish) await attack();
  });
}
