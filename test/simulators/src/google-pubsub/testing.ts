/** What the tests of this folder share: the simulator, and Google's own client for it. */
import { type Message, PubSub, type Subscription, v1 } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { type GooglePubSub, type GooglePubSubOptions, startGooglePubSub } from './server.ts';

// Without it the clients look for a metadata server of Google's, though they need no credentials.
process.env.METADATA_SERVER_DETECTION = 'none';

export const topicName = 'projects/my-project/topics/alerts';
export const subscriptionName = 'projects/my-project/subscriptions/reader';

export async function start(options: GooglePubSubOptions = {}): Promise<GooglePubSub> {
  const google = await startGooglePubSub({ topics: [topicName], ...options });
  onTestFinished(() => google.close());
  return google;
}

/** The official client, in plain text. */
export function connect(endpoint: string): PubSub {
  return new PubSub({ apiEndpoint: endpoint, emulatorMode: true, projectId: 'my-project' });
}

/** One for this test only. */
export function clientOf({ endpoint }: GooglePubSub): PubSub {
  const client = connect(endpoint);
  onTestFinished(() => client.close());
  return client;
}

/** Publishes once, without trying again. */
export const once = {
  batching: { maxMessages: 1 },
  gaxOpts: { retry: null, timeout: 600_000 },
} as const;

/** The clients beneath: one request for one call. */
export function publisherOf(google: GooglePubSub): v1.PublisherClient {
  const client = new v1.PublisherClient(lowLevel(google));
  onTestFinished(() => client.close());
  return client;
}

export function subscriberOf(google: GooglePubSub): v1.SubscriberClient {
  const client = new v1.SubscriberClient(lowLevel(google));
  onTestFinished(() => client.close());
  return client;
}

function lowLevel({ port }: GooglePubSub) {
  const sslCreds = credentials.createInsecure();
  return { servicePath: '127.0.0.1', port, sslCreds, projectId: 'my-project' };
}

export function textOf({ data }: { data: Buffer }): string {
  return data.toString();
}

/** Handles messages one by one until it says that it is done; then the subscription is closed. */
export async function read(
  subscription: Subscription,
  handle: (message: Message, count: number) => 'more' | 'done',
): Promise<Message[]> {
  const messages: Message[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      subscription.on('error', reject);
      subscription.on('message', (message) => {
        messages.push(message);
        try {
          if (handle(message, messages.length) === 'done') resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    subscription.removeAllListeners('message');
    await subscription.close();
  }
  return messages;
}

/** The next messages, acknowledged. */
export async function readSome(subscription: Subscription, count: number): Promise<Message[]> {
  return await read(subscription, (message, soFar) => {
    message.ack();
    return soFar < count ? 'more' : 'done';
  });
}
