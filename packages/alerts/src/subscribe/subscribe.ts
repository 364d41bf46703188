/**
 * Messages from Pub/Sub, one after the other.
 *
 * The library's own subscriber retries silently. A watcher has to know at once that its own line is dead. So the stream is
 * managed here: when it ends, or is quiet for a while, a small request checks Pub/Sub.
 */

import type { v1 } from '@google-cloud/pubsub';
import { pause } from '@skolo/base';
import { type Decoded, decode } from '../message/decode.ts';
import type { FieldNames } from '../message/encode.ts';
import type { PubSubConnection } from '../pubsub/pubsub-client.ts';
import { type ReceivedMessage, StreamEnded, streamed } from './pull-stream.ts';
import { codeOf, type SubscribeError, subscribeError } from './subscription-errors.ts';
import { SubscriptionUse } from './subscription-use.ts';

/** The part of a connection that is needed. */
type SubscribeConnection = Pick<
  PubSubConnection,
  'project' | 'subscriber' | 'signIn' | 'forgetCredentials'
>;

export interface SubscribeOptions {
  topic: string;
  /** One that exists. By default a temporary one, which gets what is published from now on, and is deleted at the end. */
  subscription?: string | undefined;
  /** Only of this location. */
  location?: string | undefined;
  /** Names of fields that the senders were given, where they are others. */
  fields?: FieldNames | undefined;
  /** Only heartbeats. */
  onlyHeartbeats?: boolean;
  /** After so long without a message Pub/Sub is asked whether it is there, and has as long to answer. Default 20 s. */
  idleMs?: number;
  signal: AbortSignal;
  /** The next message waits until it is fulfilled. Some messages arrive twice. */
  onMessage(message: Received): void | Promise<void>;
  onState?(state: SubscriptionState): void;
}

export interface Received {
  decoded: Decoded;
  attributes: Record<string, string>;
  /** By the clock of Pub/Sub, milliseconds since 1970. */
  published: number;
  /** Of Pub/Sub: the same when it gives a message twice, another when the sender sent it twice. */
  messageId: string;
  data: Uint8Array;
}

/**
 * - `ready`: all messages from now on will arrive.
 * - `lost`: Pub/Sub cannot be reached, or rejects the request. It is retried for ever.
 * - `gap`: the temporary subscription was created again. Messages published meanwhile will not arrive.
 * - `left`: the temporary subscription could not be deleted. It expires within a day.
 */
export type SubscriptionState =
  | { state: 'ready' }
  | { state: 'lost'; error: SubscribeError }
  | { state: 'gap' }
  | { state: 'left'; error: SubscribeError };

const defaultIdleMs = 20_000;
const longestPauseMs = 15_000;

/**
 * Fulfilled when it was aborted, and has deleted its temporary subscription.
 *
 * @throws SubscribeError It cannot begin, and retries would not help. `onState` reports later errors.
 */
export async function subscribe(
  connection: SubscribeConnection,
  options: SubscribeOptions,
): Promise<void> {
  await new Subscriber(connection, options).run();
}

class NotHandled extends Error {
  constructor(cause: unknown) {
    super('the message could not be handled', { cause });
    this.name = 'NotHandled';
  }
}

class Subscriber {
  private readonly connection: SubscribeConnection;
  private client: v1.SubscriberClient;
  /** Its connection was good once. */
  private hasClientWorked = false;
  private readonly options: SubscribeOptions;
  private readonly use: SubscriptionUse;
  private readonly idleMs: number;
  private isReady = false;
  private wasReady = false;
  /** In a row. */
  private failures = 0;

  constructor(connection: SubscribeConnection, options: SubscribeOptions) {
    this.connection = connection;
    this.client = connection.subscriber();
    this.options = options;
    this.idleMs = options.idleMs ?? defaultIdleMs;
    const { project } = connection;
    const choice = { ...options, project, withinMs: this.idleMs };
    this.use = new SubscriptionUse(() => this.client, choice);
  }

  async run(): Promise<void> {
    const { signal, onState } = this.options;
    try {
      while (!signal.aborted) {
        try {
          await this.turn();
        } catch (error) {
          if (!signal.aborted) await this.failed(error);
        }
      }
    } finally {
      const error = await this.use.end();
      if (error) onState?.({ state: 'left', error: subscribeError(error, this.use) });
      await this.client.close();
    }
  }

  /** Until the stream ends. */
  private async turn(): Promise<void> {
    const { signal } = this.options;
    await this.check();
    this.wasReady = true;
    this.reportReady();
    const responses = streamed(this.client, {
      subscription: this.use.subscription,
      idleMs: this.idleMs,
      signal,
      onIdle: async () => {
        await this.check();
        this.failures = 0;
      },
    });
    for await (const messages of responses) {
      this.failures = 0;
      await this.use.acknowledge(await this.handled(messages));
    }
  }

  private async check(): Promise<void> {
    // Errors of credentials are clearer here than from the library.
    await this.connection.signIn();
    const isNew = (await this.use.check()) === 'made';
    this.hasClientWorked = true;
    if (isNew && this.wasReady) this.options.onState?.({ state: 'gap' });
  }

  /** Ids to acknowledge. */
  private async handled(messages: readonly ReceivedMessage[]): Promise<string[]> {
    const ids: string[] = [];
    for (const message of messages) {
      if (this.options.signal.aborted) break;
      const received = receivedOf(message, this.options.fields);
      if (this.isWanted(received)) await this.given(received);
      ids.push(message.ackId);
    }
    return ids;
  }

  private async given(received: Received): Promise<void> {
    try {
      await this.options.onMessage(received);
    } catch (error) {
      throw new NotHandled(error);
    }
  }

  private async failed(cause: unknown): Promise<void> {
    // Not a matter of Pub/Sub.
    if (cause instanceof NotHandled) throw cause.cause;
    const error = subscribeError(cause, this.use);
    if (error.isLasting && !this.wasReady) throw error;
    this.failures += 1;
    const code = codeOf(cause);
    if (code === 'UNAUTHENTICATED') this.connection.forgetCredentials();
    if (code === 'DEADLINE_EXCEEDED' && this.hasClientWorked) await this.renewClient();
    // Pub/Sub ends each stream after a while with UNAVAILABLE. The next turn shows whether it is.
    const isUsual = cause instanceof StreamEnded && this.failures === 1;
    if (!isUsual) this.reportLost(error);
    const pauseMs = Math.min(longestPauseMs, 250 * 2 ** (this.failures - 1));
    await pause(pauseMs, this.options.signal).catch(() => undefined);
  }

  /** Its connection may be dead without knowing it, for a quarter of an hour. */
  private async renewClient(): Promise<void> {
    await this.client.close();
    this.client = this.connection.subscriber();
    this.hasClientWorked = false;
  }

  private reportReady(): void {
    if (!this.isReady) this.options.onState?.({ state: 'ready' });
    this.isReady = true;
  }

  private reportLost(error: SubscribeError): void {
    this.options.onState?.({ state: 'lost', error });
    this.isReady = false;
  }

  /** Google's emulator ignores filters. */
  private isWanted({ decoded, attributes }: Received): boolean {
    const { location, onlyHeartbeats } = this.options;
    if (onlyHeartbeats && decoded.kind !== 'heartbeat') return false;
    if (location === undefined) return true;
    return location === (decoded.kind === 'unknown' ? attributes.location : decoded.location);
  }
}

function receivedOf(message: ReceivedMessage, fields: FieldNames | undefined): Received {
  const { data, attributes, publishedMs, messageId } = message;
  const decoded = decode(data, attributes, fields);
  return { decoded, attributes, published: publishedMs, messageId, data };
}
