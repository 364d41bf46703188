/** A broker that sends more than we can buffer. */
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { DeviceRejected, DeviceTimeout } from './errors.ts';
import { visitBroker } from './mqtt.ts';
import { startTcpServer } from './testing/tcp-server.ts';

const connack = Buffer.from([0x20, 2, 0, 0]);
/** Of the first subscription of a client, whose packet has number 1. */
const suback = (id: Buffer) => Buffer.from([0x90, 3, ...id, 1]);
/** The largest remaining length of MQTT 3.1.1: 268,435,455. */
const largest = [0xff, 0xff, 0xff, 0x7f];
const megabyte = Buffer.alloc(1024 * 1024);

/** A PUBLISH of QoS 2 on the topic `t`, which a client keeps until it is released. */
function toBeKept(id: number): Buffer {
  const payload = Buffer.alloc(4000);
  const head = Buffer.from([0, 1, 0x74, id >> 8, id & 255]);
  const length = head.length + payload.length;
  return Buffer.concat([Buffer.from([0x34, (length & 127) | 128, length >> 7]), head, payload]);
}

function* manyToBeKept() {
  for (let id = 1; id <= 0xffff; id += 1) yield toBeKept(id);
}

/** PINGRESP. */
function* pings() {
  for (let left = 64; left > 0; left -= 1) yield Buffer.alloc(65_536, Buffer.from([0xd0, 0]));
}

function* once(first: Buffer) {
  yield first;
  for (let left = 256; left > 0; left -= 1) yield megabyte;
}

interface Attack {
  /** After which of the client's packets. */
  after: 'connect' | 'subscribe' | 'publish';
  packets: () => Iterable<Buffer>;
}

/** Sends as fast as it is read; returns the number of bytes sent. */
async function startHostileBroker({ after, packets }: Attack) {
  let sent = 0;
  function* counted() {
    for (const packet of packets()) {
      yield packet;
      sent += packet.length;
    }
  }
  const pour = (socket: Socket) => pipeline(counted(), socket).catch(() => undefined);
  const { port } = await startTcpServer((socket) => {
    socket.on('data', (bytes: Buffer) => {
      const kind = { 16: 'connect', 130: 'subscribe', 48: 'publish' }[bytes[0] ?? 0];
      if (kind === after) void pour(socket);
      else if (kind === 'connect') socket.write(connack);
      else if (kind === 'subscribe') socket.write(suback(bytes.subarray(2, 4)));
    });
  });
  return { port, sent: () => sent };
}

function visit(port: number): Promise<undefined> {
  const place = { name: 'plug-1', address: '127.0.0.1', ports: { mqtt: port } };
  const deps = { credentials: async () => ({ legacySsh: false }) };
  const topics = { topics: ['state'], watch: undefined };
  const stop = new AbortController();
  return visitBroker(place, deps, topics, stop.signal, (broker) =>
    broker.ask({
      topic: 'command',
      payload: 'OFF',
      answerTopic: 'state',
      parse: () => undefined,
      late: () => new DeviceTimeout('plug-1', 'no answer'),
    }),
  );
}

describe('a broker that sends without end', () => {
  it.each<[string, Attack]>([
    [
      'one message of 256 MB',
      { after: 'publish', packets: () => once(Buffer.from([0x30, ...largest, 0, 1, 0x74])) },
    ],
    [
      'an answer of 256 MB to the sign-in',
      { after: 'connect', packets: () => once(Buffer.from([0x20, ...largest])) },
    ],
    [
      'messages that are kept until they are released',
      { after: 'subscribe', packets: manyToBeKept },
    ],
    ['responses to pings that it was not sent', { after: 'subscribe', packets: pings }],
  ])('is left after %s', async (_what, attack) => {
    const broker = await startHostileBroker(attack);

    const error = await visit(broker.port).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(DeviceRejected);
    expect(String(error)).toMatch(
      /the broker 127\.0\.0\.1:\d+ sent more than 1 MiB or 1000 messages in one session/,
    );
    // The rest is in the buffers of the kernel and of the broker.
    expect(broker.sent()).toBeLessThan(32 * 1024 * 1024);
  });
});

it('a broker that ends the connection before it accepts the login may require TLS', async () => {
  const { port } = await startTcpServer((socket) => socket.once('data', () => socket.end()));
  const place = { name: 'plug-1', address: '127.0.0.1', ports: { mqtt: port } };
  const deps = { credentials: async () => ({ legacySsh: false }) };
  const topics = { topics: ['stat'], watch: undefined };

  const visit = visitBroker(place, deps, topics, new AbortController().signal, async () => 1);

  await expect(visit).rejects.toThrow(
    'closed the connection before it accepted the login; it may require TLS',
  );
});
