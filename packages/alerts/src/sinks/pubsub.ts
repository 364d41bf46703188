/**
 * Sends alerts to Google Pub/Sub: timeouts, how many messages at once, and when the topic is created. One request per send, with one
 * ordering key. The library's own batching, buffering and retries stay off: the caller controls order, memory and retries.
 */
import { setMaxListeners } from 'node:events';
import type { EncodeAs } from '../message/encode.ts';
import type { Message } from '../message/message.ts';
import { noOrderingKey, orderingKey } from '../message/ordering-key.ts';
import { grpcCode } from '../pubsub/grpc.ts';
import {
  connectPubSub,
  type PubSubConnection,
  type PubSubDeps,
  type PubSubSettings,
} from '../pubsub/pubsub-client.ts';
import { type Sink, SinkError } from '../sink.ts';
import { publishError, topicMissing } from './pubsub-error.ts';
import { Channel, type Request, requestsOf, unlessAborted } from './pubsub-request.ts';

export interface PubSubSinkOptions extends PubSubSettings {
  name: string;
  topic: string;
  /** Creates the topic if it is missing. */
  createTopic: boolean;
  /** The number of ordering keys. */
  orderingKeys: number;
  encodeAs: EncodeAs;
  /** Timeout of a response; large or parallel requests get more. */
  timeoutMs?: number;
  heartbeatTimeoutMs?: number;
}

/** On slower internet connections than this, a backlog does not get through in time, only new messages. */
const slowestBytesPerMs = 64;

/** Measured: more keys or messages at a time are hardly faster, and use memory. */
const keysAtOnce = 8;
const messagesAtOnce = 100;

/** Connects and reads nothing before the first message. */
export function createPubSubSink(options: PubSubSinkOptions, deps: PubSubDeps = {}): Sink {
  const publisher = new Publisher(options, deps);
  return {
    name: options.name,
    limits: { orderingKeys: Math.min(options.orderingKeys, keysAtOnce), messages: messagesAtOnce },
    orderingKeyOf: (message) =>
      orderingKey(message, options.encodeAs.location, options.orderingKeys),
    send: (messages, key, signal) => publisher.send(messages, key, signal),
    close: () => publisher.close(),
  };
}

class Publisher {
  private readonly options: PubSubSinkOptions;
  private readonly deps: PubSubDeps;
  private connecting: Promise<PubSubConnection> | undefined;
  private channel: Channel | undefined;
  private makingTopic: Promise<void> | undefined;
  /** Bytes of all requests in progress. */
  private bytesUnderWay = 0;

  constructor(options: PubSubSinkOptions, deps: PubSubDeps) {
    this.options = options;
    this.deps = deps;
  }

  async send(messages: readonly Message[], key: string, signal: AbortSignal): Promise<void> {
    const requests = requestsOf(messages, key, this.options.encodeAs);
    // All ordering keys may share the signal, which Node would report as a leak.
    setMaxListeners(0, signal);
    for (const request of requests) await this.publish(request, key, signal);
  }

  async close(): Promise<void> {
    const channel = this.channel;
    this.connecting = undefined;
    this.channel = undefined;
    await channel?.close();
  }

  private async publish(request: Request, key: string, signal: AbortSignal): Promise<void> {
    const connection = await unlessAborted(this.connected(), signal);
    await unlessAborted(connection.signIn(), signal);
    const topic = `projects/${connection.project}/topics/${this.options.topic}`;
    this.bytesUnderWay += request.bytes;
    const timeoutMs = this.timeoutMs(key);
    const call = () =>
      this.call(connection, (channel) =>
        channel.publish(topic, request.messages, timeoutMs, signal),
      );
    try {
      await call();
    } catch (error) {
      const isMade = grpcCode(error) === 'NOT_FOUND' && this.options.createTopic;
      if (!isMade) throw publishError(error, topic, connection.proxy);
      await unlessAborted(this.madeTopic(connection, topic), signal);
      await call().catch((again) => {
        throw publishError(again, topic, connection.proxy);
      });
    } finally {
      this.bytesUnderWay -= request.bytes;
    }
  }

  private timeoutMs(key: string): number {
    const { timeoutMs = 15_000, heartbeatTimeoutMs = 10_000 } = this.options;
    // A late heartbeat is useless, because the next one is due.
    if (key === noOrderingKey) return heartbeatTimeoutMs;
    return timeoutMs + this.bytesUnderWay / slowestBytesPerMs;
  }

  private connected(): Promise<PubSubConnection> {
    this.connecting ??= connectPubSub(this.options, this.deps).catch((error) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async call<T>(
    connection: PubSubConnection,
    use: (channel: Channel) => Promise<T>,
  ): Promise<T> {
    this.channel ??= new Channel(connection.publisher());
    const channel = this.channel;
    try {
      return await channel.used(use);
    } catch (error) {
      const code = grpcCode(error);
      if (code === 'UNAUTHENTICATED') connection.forgetCredentials();
      // Without this, a connection that silently drops everything would be used until TCP times out after a quarter of an hour, and one
      // that could not be opened would stay so.
      const isOver = code === 'DEADLINE_EXCEEDED' || !(code || error instanceof SinkError);
      if (isOver && this.channel === channel) {
        this.channel = undefined;
        channel.closeWhenUnused();
      }
      throw error;
    }
  }

  /** Requests that find it missing at the same time create it once. */
  private madeTopic(connection: PubSubConnection, topic: string): Promise<void> {
    this.makingTopic ??= this.call(connection, (channel) => channel.createTopic(topic))
      .catch((error) => {
        const code = grpcCode(error);
        if (code === 'ALREADY_EXISTS') return;
        const isSettled = code === 'PERMISSION_DENIED' || code === 'NOT_FOUND';
        throw isSettled ? topicMissing(error, topic) : publishError(error, topic, connection.proxy);
      })
      .finally(() => {
        this.makingTopic = undefined;
      });
    return this.makingTopic;
  }
}
