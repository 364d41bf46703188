/**
 * A short connection to an MQTT broker (3.1.1), with limits: subscribe, publish, receive the answer, disconnect.
 *
 * Published messages are never retained: the broker would repeat them whenever the device connects, and switch it again. Nor are they
 * queued for a disconnected device (QoS 0): an "off" that arrives an hour late is not followed by an "on". Messages that the broker has
 * retained are ignored, because they may be old. But states that a device retains are received, because messages that arrive during a
 * subscription are not marked as retained (MQTT 3.1.1, 3.3.1.3).
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { withDeadline } from '@skolo/base';
import type { Credentials } from '@skolo/base/secrets';
import type { IClientOptions, MqttClient } from 'mqtt';
import { type Access, addressOf, type Endpoint } from './endpoint.ts';
import {
  type DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  SignInRejected,
} from './errors.ts';
import { withAnyOf } from './session/any-of.ts';
import type { Recorded } from './stream/transcript.ts';

export interface Exchange<T> {
  topic: string;
  payload: string;
  /** Topic of the answer. */
  answerTopic: string;
  /** Parses a message on that topic; undefined if it is not the expected one. */
  parse: (payload: string) => T | undefined;
  /** The error if no answer arrives in time. */
  late: () => DeviceError;
}

export interface MqttVisit {
  /** Publishes, and waits for the answer. */
  ask<T>(exchange: Exchange<T>): Promise<T>;
}

const usualPort = 1883;
export const answerMs = 5000;
/**
 * Limit of everything that a broker sends during one connection. The library buffers a packet of up to 256 MB until it is complete, and
 * every QoS 2 message until it is released. States are a few hundred bytes each.
 */
const mostBytes = 1024 * 1024;
/** The library keeps an object of many times its size for each. */
const mostPackets = 1000;

/**
 * @param watch A topic whose messages end the connection if `gone` returns true. A retained one may be old, so a live answer beats it: it only
 * explains why there is none.
 * @throws DeviceError, or the signal's reason
 */
export async function visitBroker<T>(
  endpoint: Endpoint,
  deps: Pick<Access, 'credentials'> & Recorded,
  topics: VisitTopics,
  signal: AbortSignal,
  work: (visit: MqttVisit) => Promise<T>,
): Promise<T> {
  const { onTranscript, dry } = deps;
  const say = (text: string) => onTranscript?.('us', `mqtt ${text}\n`);
  say(`subscribe ${[...topics.topics, ...(topics.watch ? [topics.watch.topic] : [])].join(' ')}`);
  const recorded = (visit: MqttVisit): MqttVisit => ({
    async ask(exchange) {
      say(`publish ${exchange.topic} ${exchange.payload}`);
      return await visit.ask(exchange);
    },
  });
  if (dry) return await work(recorded({ ask: async ({ late }) => Promise.reject(late()) }));
  return await withAnyOf(await deps.credentials(), (credentials) =>
    visitAs(credentials, endpoint, topics, signal, (visit) => work(recorded(visit))),
  );
}

interface VisitTopics {
  topics: readonly string[];
  watch: Watch | undefined;
}

async function visitAs<T>(
  credentials: Credentials,
  endpoint: Endpoint,
  { topics, watch }: VisitTopics,
  signal: AbortSignal,
  work: (visit: MqttVisit) => Promise<T>,
): Promise<T> {
  const { name, ports } = endpoint;
  const address = addressOf(endpoint);
  const port = ports.mqtt ?? usualPort;
  // Loaded lazily: 7 MB of memory, which few racks need.
  const { MqttClient: Client } = await import('mqtt');
  signal.throwIfAborted();
  const open = () => {
    const socket = connect(port, address);
    // The library pipes it into its parser.
    socket.pipe = (parser) => {
      pipeline(inPieces(socket), parser).catch(() => undefined);
      return parser;
    };
    return socket;
  };
  const client = new Client(open, clientOptions(credentials));
  const broken = failureOf(client, name, `${address}:${port}`, watch);
  /** What the broker has kept about the device: it is gone. */
  let kept: DeviceError | undefined;
  client.on('message', (topic, payload, { retain }) => {
    if (topic === watch?.topic && retain)
      kept = watch.gone(payload.toString()) ? goneError(name, topic, payload) : undefined;
  });
  const late = () => {
    return new DeviceTimeout(name, `no response from the broker within ${answerMs / 1000} s`);
  };
  try {
    await withDeadline({ ms: answerMs, late, signal }, () => {
      const all = watch ? [...topics, watch.topic] : [...topics];
      return Promise.race([subscribed(client, name, all), broken]);
    });
    return await work({
      ask: ({ late: silent, ...exchange }) =>
        withDeadline({ ms: answerMs, late: () => kept ?? silent(), signal }, () =>
          Promise.race([answerTo(client, exchange), broken]),
        ),
    });
  } finally {
    client.end(true);
  }
}

interface Watch {
  topic: string;
  gone: (payload: string) => boolean;
}

/** The library handles everything that it gets at once, in one turn of the event loop. A packet has two bytes or more. */
const longestPiece = 16 * 1024;

async function* inPieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += longestPiece) {
      yield bytes.subarray(at, at + longestPiece);
      await setImmediate();
    }
  }
}

function clientOptions({ username, password }: Credentials): IClientOptions {
  return {
    protocol: 'mqtt',
    protocolVersion: 4,
    clientId: `skolo-${randomBytes(8).toString('hex')}`,
    clean: true,
    reconnectPeriod: 0,
    keepalive: 0,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: password.reveal() }),
  };
}

/** Rejects if the connection fails or ends, the broker sends too much, or the device is reported as gone. */
function failureOf(
  client: MqttClient,
  device: string,
  broker: string,
  watch: Watch | undefined,
): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    let [received, packets, isAccepted] = [0, 0, false];
    client.once('connect', () => {
      isAccepted = true;
    });
    const leaveIfTooMuch = () => {
      if (client.stream.destroyed || (received <= mostBytes && packets <= mostPackets)) return;
      const what = `the broker ${broker} sent more than 1 MiB or ${mostPackets} messages in one session`;
      reject(new DeviceRejected(device, what));
      client.stream.destroy();
    };
    client.stream.on('data', (bytes: Buffer) => {
      received += bytes.length;
      leaveIfTooMuch();
    });
    client.on('packetreceive', () => {
      packets += 1;
      leaveIfTooMuch();
    });
    client.on('error', (error) => reject(connectionError(device, broker, error)));
    client.on('close', () => {
      const hint = isAccepted ? '' : ' before it accepted the login; it may require TLS';
      reject(new DeviceUnreachable(device, `the broker ${broker} closed the connection${hint}`));
    });
    client.on('message', (topic, payload, { retain }) => {
      if (retain || topic !== watch?.topic || !watch.gone(payload.toString())) return;
      reject(goneError(device, topic, payload));
    });
  });
  broken.catch(() => undefined);
  return broken;
}

function subscribed(client: MqttClient, device: string, topics: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => {
      client.subscribe(topics, { qos: 1 }, (error, granted) => {
        const rejected = error !== null || granted?.some(({ qos }) => qos > 2);
        if (!rejected) return resolve();
        reject(
          new DeviceRejected(
            device,
            `the broker rejected the subscription to ${topics.join(', ')}`,
          ),
        );
      });
    });
  });
}

function answerTo<T>(
  client: MqttClient,
  { topic, payload, answerTopic, parse }: Omit<Exchange<T>, 'late'>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    client.on('message', (where, said, { retain }) => {
      if (where !== answerTopic || retain) return;
      const parsed = parse(said.toString());
      if (parsed !== undefined) resolve(parsed);
    });
    client.publish(topic, payload, { qos: 0, retain: false }, (error) => {
      if (error) reject(error);
    });
  });
}

function connectionError(device: string, broker: string, error: Error): DeviceError {
  const code = 'code' in error ? error.code : undefined;
  // CONNACK codes: 4 bad user name or password, 5 not authorized.
  if (code === 4 || code === 5) {
    return new SignInRejected(device, `the broker ${broker} rejected the login`);
  }
  if (typeof code === 'number') {
    return new DeviceRejected(
      device,
      `the broker ${broker} rejected the connection (code ${code})`,
    );
  }
  if (typeof code === 'string') {
    return new DeviceUnreachable(device, `the broker ${broker}: ${code}`);
  }
  return new DeviceRejected(device, `${broker} is not an MQTT broker`);
}

function goneError(device: string, topic: string, payload: Buffer): DeviceError {
  const shown = JSON.stringify(payload.toString().slice(0, 40));
  return new DeviceUnreachable(device, `${topic} reports ${shown}`);
}
