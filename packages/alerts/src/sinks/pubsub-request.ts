/** Requests to Pub/Sub: splits messages into requests, and makes one that has a deadline and can be aborted at any time. */
import { Buffer } from 'node:buffer';
import type { protos, v1 } from '@google-cloud/pubsub';
import { orAborted } from '@skolo/base';
import { type EncodeAs, encode } from '../message/encode.ts';
import type { Message } from '../message/message.ts';
import { SinkError } from '../sink.ts';

export interface Request {
  messages: protos.google.pubsub.v1.IPubsubMessage[];
  bytes: number;
}

/** Pub/Sub accepts 10 MB per request, and so per message: https://cloud.google.com/pubsub/quotas#resource_limits */
const maxMessageBytes = 9_500_000;
const maxRequestBytes = 9_000_000;
const maxRequestMessages = 1000;
/** Protobuf's overhead for a message and for each attribute, rounded up. */
const frameBytes = 16;

const createTopicTimeoutMs = 15_000;

/**
 * Splits messages into as few requests as possible, in order.
 *
 * @param key ordering key; '' for none
 * @throws SinkError `too-large`: one message is too large
 */
export function requestsOf(messages: readonly Message[], key: string, as: EncodeAs): Request[] {
  const requests: Request[] = [];
  let last: Request | undefined;
  for (const message of messages) {
    const { json, attributes } = encode(message, as);
    const data = Buffer.from(json);
    const bytes = data.length + bytesAround(attributes, key);
    if (bytes > maxMessageBytes) {
      throw new SinkError(
        'too-large',
        'TOO_LARGE',
        `Pub/Sub: ${message.kind} ${message.id} is ${(bytes / 1e6).toFixed(1)} MB, but the limit is 9.5 MB; shorten the alert's annotations`,
      );
    }
    const isFull =
      last === undefined ||
      last.messages.length >= maxRequestMessages ||
      last.bytes + bytes > maxRequestBytes;
    if (isFull || last === undefined) {
      last = { messages: [], bytes: 0 };
      requests.push(last);
    }
    last.messages.push({ data, attributes, ...(key !== '' && { orderingKey: key }) });
    last.bytes += bytes;
  }
  return requests;
}

function bytesAround(attributes: Record<string, string>, key: string): number {
  let bytes = Buffer.byteLength(key) + frameBytes;
  for (const [name, value] of Object.entries(attributes)) {
    bytes += name.length + Buffer.byteLength(value) + frameBytes;
  }
  return bytes;
}

/** A connection and the number of its users. */
export class Channel {
  private readonly client: v1.PublisherClient;
  private users = 0;
  private isOld = false;

  constructor(client: v1.PublisherClient) {
    this.client = client;
  }

  async used<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    this.users += 1;
    try {
      return await use(this);
    } finally {
      this.users -= 1;
      if (this.isOld) this.closeWhenUnused();
    }
  }

  closeWhenUnused(): void {
    this.isOld = true;
    if (this.users === 0) this.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** @throws the library's error; SinkError if aborted */
  async publish(
    topic: string,
    messages: Request['messages'],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    await this.client.initialize();
    if (signal.aborted) throw aborted();
    // Not `client.publish`, which cannot be cancelled.
    const call: Cancellable = this.client.innerApiCalls.publish?.(
      { topic, messages },
      {
        timeout: timeoutMs,
        retry: null,
        isBundling: false,
        otherArgs: {
          headers: { 'x-goog-request-params': `topic=${encodeURIComponent(topic)}` },
        },
      },
    );
    const cancel = () => call.cancel();
    signal.addEventListener('abort', cancel);
    try {
      await call;
    } catch (error) {
      throw signal.aborted ? aborted() : error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async createTopic(topic: string): Promise<void> {
    await this.client.createTopic({ name: topic }, { timeout: createTopicTimeoutMs, retry: null });
  }
}

interface Cancellable extends Promise<unknown> {
  cancel(): void;
}

/** The promise continues, because others may also wait for it. @throws SinkError */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await orAborted(promise, signal);
  } catch (error) {
    throw signal.aborted ? aborted() : error;
  }
}

function aborted(): SinkError {
  return new SinkError(
    'unavailable',
    'ABORTED',
    'the request was cancelled before a response arrived',
  );
}
