/** One streaming pull from Pub/Sub, until it ends. */
import { Buffer } from 'node:buffer';
import { setTimeout } from 'node:timers/promises';
import type { v1 } from '@google-cloud/pubsub';
import { NamedError } from '@skolo/base';
import { z } from 'zod';

export interface ReceivedMessage {
  ackId: string;
  messageId: string;
  data: Uint8Array;
  attributes: Record<string, string>;
  /** Milliseconds since 1970. */
  publishedMs: number;
}

/** The stream ended, as it does regularly, or broke. `cause` is the library's error. */
export class StreamEnded extends NamedError {
  constructor(cause: unknown) {
    super('the stream ended', { cause });
  }
}

interface StreamOptions {
  subscription: string;
  signal: AbortSignal;
  idleMs: number;
  /** Called if nothing has arrived for this long. If it throws, the stream ends with that error. */
  onIdle(): Promise<void>;
}

/** How long a message may be processed here before Pub/Sub redelivers it. */
export const ackDeadlineSeconds = 60;
/** Maximum number of unprocessed messages: if the terminal is slow, the others wait at Pub/Sub, not here. */
const maxOutstandingMessages = 1000;
const maxOutstandingBytes = 20 * 2 ** 20;

/** A Long or a string, depending on the library. */
const Whole = z.union([
  z.coerce.number(),
  z.custom<{ toNumber(): number }>().transform((long) => long.toNumber()),
]);
const Response = z.object({
  receivedMessages: z
    .array(
      z.object({
        ackId: z.string(),
        message: z.object({
          messageId: z.string(),
          data: z.union([z.instanceof(Uint8Array), z.string()]).nullish(),
          attributes: z.record(z.string(), z.string()).nullish(),
          publishTime: z.object({ seconds: Whole, nanos: z.number().nullish() }).nullish(),
        }),
      }),
    )
    .default([]),
});

/**
 * The messages of each response. Returns only when the signal is aborted.
 *
 * @throws StreamEnded
 */
export async function* streamed(
  client: Pick<v1.SubscriberClient, 'streamingPull'>,
  options: StreamOptions,
): AsyncGenerator<ReceivedMessage[]> {
  const { subscription, signal, idleMs, onIdle } = options;
  const headers = { 'x-goog-request-params': `subscription=${subscription}` };
  const stream = client.streamingPull({ otherArgs: { headers } });
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel);
  try {
    stream.write({
      subscription,
      streamAckDeadlineSeconds: ackDeadlineSeconds,
      maxOutstandingMessages,
      maxOutstandingBytes,
    });
    const responses: AsyncIterator<unknown> = stream[Symbol.asyncIterator]();
    for (;;) {
      const next = await nextOf(responses, { signal, idleMs, onIdle, stream });
      if (next === undefined) return;
      yield Response.parse(next).receivedMessages.map(received);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    // Later events do not matter, but would have no listener.
    stream.on('error', () => undefined);
    stream.cancel();
  }
}

/** Undefined if the signal is aborted. */
async function nextOf(
  responses: AsyncIterator<unknown>,
  { signal, idleMs, onIdle, stream }: Omit<StreamOptions, 'subscription'> & Writing,
): Promise<unknown> {
  const next = responses.next().then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const timer = new AbortController();
    const idle = setTimeout(idleMs, 'idle' as const, { signal: timer.signal });
    const first = await Promise.race([next, idle.catch(() => 'idle' as const)]);
    timer.abort();
    if (signal.aborted) return undefined;
    if (first !== 'idle') {
      if ('error' in first) throw new StreamEnded(first.error);
      if (first.result.done) throw new StreamEnded(new Error('closed by Pub/Sub'));
      return first.result.value;
    }
    await onIdle();
    // Pub/Sub closes an idle stream.
    stream.write({});
  }
}

interface Writing {
  stream: { write(request: object): void };
}

type Received = z.output<typeof Response>['receivedMessages'][number];

function received({ ackId, message }: Received): ReceivedMessage {
  const { data, attributes, publishTime, messageId } = message;
  const { seconds, nanos } = publishTime ?? { seconds: Date.now() / 1000, nanos: 0 };
  return {
    ackId,
    messageId,
    data: typeof data === 'string' ? Buffer.from(data, 'base64') : (data ?? new Uint8Array()),
    attributes: attributes ?? {},
    publishedMs: seconds * 1000 + Math.floor((nanos ?? 0) / 1e6),
  };
}
