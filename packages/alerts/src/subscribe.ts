/**
 * Messages from Pub/Sub, one after the other.
 *
 * The library's own subscriber tries again silently, whatever happens. Whoever watches for silence has to know at once
 * that it is he who hears nothing, so the stream is kept up here: when it ends, or says nothing for a while, Pub/Sub is
 * asked for something small.
 */
import { setTimeout } from 'node:timers/promises';
import type { v1 } from '@google-cloud/pubsub';
import { type Decoded, decode } from './decode.ts';
import type { FieldNames } from './encode.ts';
import type { PubSubConnection } from './pubsub-client.ts';
import { type ReceivedMessage, StreamEnded, streamed } from './pull-stream.ts';
import {
  grpcCodeOf,
  grpcCodes,
  type SubscribeError,
  subscribeError,
} from './subscription-errors.ts';
import { SubscriptionUse } from './subscription-use.ts';

/** What is needed of it. */
export type SubscribeConnection = Pick<
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
  /** The next one is given when it is fulfilled. Some messages come twice. */
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
 * - `ready`: all that is published from now on will come. Also when it could not for a while.
 * - `lost`: Pub/Sub cannot be reached, or refuses; it is tried again, for ever.
 * - `gap`: the temporary subscription is a new one. What was published meanwhile will not come.
 * - `left`: the temporary subscription could not be deleted. It goes by itself within a day.
 */
export type SubscriptionState =
  | { state: 'ready' }
  | { state: 'lost'; error: SubscribeError }
  | { state: 'gap' }
  | { state: 'left'; error: SubscribeError };

const defaultIdleMs = 20_000;
const longestPauseMs = 15_000;

/**
 * Fulfilled when it was told to end, and has deleted what it made.
 *
 * @throws SubscribeError It cannot begin, and that does not pass by itself. What comes later is told by `onState`.
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
  private state: 'ready' | 'lost' | undefined;
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
    this.tell('ready');
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
    // What is wrong with credentials is told better here than by the library.
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
    const code = grpcCodeOf(cause);
    if (code === grpcCodes.unauthenticated) this.connection.forgetCredentials();
    if (code === grpcCodes.deadlineExceeded && this.hasClientWorked) await this.renewClient();
    // Pub/Sub ends each stream after a while, and calls that unavailable. Whether it is, the next turn will tell.
    const isUsual = cause instanceof StreamEnded && this.failures === 1;
    if (!isUsual) this.tell('lost', error);
    const pauseMs = Math.min(longestPauseMs, 250 * 2 ** (this.failures - 1));
    await setTimeout(pauseMs, undefined, { signal: this.options.signal }).catch(() => undefined);
  }

  /** Its connection may be dead without knowing it, for a quarter of an hour. */
  private async renewClient(): Promise<void> {
    await this.client.close();
    this.client = this.connection.subscriber();
    this.hasClientWorked = false;
  }

  private tell(state: 'ready'): void;
  private tell(state: 'lost', error: SubscribeError): void;
  private tell(state: 'ready' | 'lost', error?: SubscribeError): void {
    const { onState } = this.options;
    if (error) onState?.({ state: 'lost', error });
    else if (this.state !== 'ready') onState?.({ state: 'ready' });
    this.state = state;
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
