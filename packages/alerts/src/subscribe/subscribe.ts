/**
 * Receives messages from Pub/Sub, one at a time, and reconnects.
 *
 * The library's own subscriber retries silently, but a watcher must notice immediately that its own connection is dead. So the stream is
 * managed here: when it ends, or is quiet for a while, a small request checks Pub/Sub.
 */

import type { v1 } from '@google-cloud/pubsub';
import { backOffMs, NamedError, pause } from '@skolo/base';
import { type Decoded, decode } from '../message/decode.ts';
import type { FieldNames } from '../message/encode.ts';
import type { PubSubConnection } from '../pubsub/pubsub-client.ts';
import { type ReceivedMessage, StreamEnded, streamed } from './pull-stream.ts';
import { codeOf, type SubscribeError, subscribeError } from './subscription-errors.ts';
import { type SubscriptionChoice, SubscriptionUse } from './subscription-use.ts';

/** The required part of a connection. */
type SubscribeConnection = Pick<
  PubSubConnection,
  'project' | 'subscriber' | 'signIn' | 'forgetCredentials'
>;

export interface SubscribeOptions
  extends Pick<SubscriptionChoice, 'topic' | 'subscription' | 'location' | 'signal'> {
  /** Field names, if the senders use other than the default ones. */
  fields?: FieldNames | undefined;
  /** Only heartbeats. */
  onlyHeartbeats?: boolean;
  /** After this long without a message, Pub/Sub is checked, and has the same time to respond. Default 20 s. */
  idleMs?: number;
  /** The next message waits until this resolves. Some messages arrive twice. */
  onMessage(message: Received): void | Promise<void>;
  onState?(state: SubscriptionState): void;
}

export interface Received extends Pick<ReceivedMessage, 'attributes' | 'messageId' | 'data'> {
  decoded: Decoded;
  /** By Pub/Sub's clock, milliseconds since 1970. */
  published: number;
}

/**
 * - `ready`: all messages from now on will arrive.
 * - `lost`: Pub/Sub cannot be reached, or rejects the request. It is retried for ever.
 * - `gap`: the temporary subscription was created again. Messages published in the meantime will not arrive.
 * - `left`: the temporary subscription could not be deleted. It expires within a day.
 */
export type SubscriptionState =
  | { state: 'ready' }
  | { state: 'lost'; error: SubscribeError }
  | { state: 'gap' }
  | { state: 'left'; error: SubscribeError };

const defaultIdleMs = 20_000;
const pauses = { firstMs: 250, maxMs: 15_000 };

/**
 * Resolves when the signal is aborted and the temporary subscription is deleted.
 *
 * @throws SubscribeError It cannot start, and retries would not help. `onState` reports later errors.
 */
export async function subscribe(
  connection: SubscribeConnection,
  options: SubscribeOptions,
): Promise<void> {
  await new Subscriber(connection, options).run();
}

class NotHandled extends NamedError {
  constructor(cause: unknown) {
    super('the message could not be handled', { cause });
  }
}

class Subscriber {
  private readonly connection: SubscribeConnection;
  private client: v1.SubscriberClient;
  /** The connection has worked before. */
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
        // The stream is that of the deleted subscription, which not every server ends.
        if (await this.check()) throw new StreamEnded('the subscription was created again');
        this.failures = 0;
      },
    });
    for await (const messages of responses) {
      this.failures = 0;
      await this.use.acknowledge(await this.handled(messages));
    }
  }

  /** Whether the subscription was missing, and was created. */
  private async check(): Promise<boolean> {
    // Credential errors are clearer here than those of the library.
    await this.connection.signIn();
    const isNew = (await this.use.check()) === 'made';
    this.hasClientWorked = true;
    if (isNew && this.wasReady) this.options.onState?.({ state: 'gap' });
    return isNew;
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
    // Not a Pub/Sub error.
    if (cause instanceof NotHandled) throw cause.cause;
    const error = subscribeError(cause, this.use);
    if (error.isLasting && !this.wasReady) throw error;
    this.failures += 1;
    const code = codeOf(cause);
    if (code === 'UNAUTHENTICATED') this.connection.forgetCredentials();
    if (code === 'DEADLINE_EXCEEDED' && this.hasClientWorked) await this.renewClient();
    // Pub/Sub regularly ends streams with UNAVAILABLE. The next iteration shows whether it really is.
    const isUsual = cause instanceof StreamEnded && this.failures === 1;
    if (!isUsual) this.reportLost(error);
    await pause(backOffMs(this.failures, pauses), this.options.signal).catch(() => undefined);
  }

  /** The connection may be dead unnoticed, for a quarter of an hour. */
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
