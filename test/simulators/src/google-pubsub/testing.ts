/** What the tests of this folder share: the simulator, and Google's own client for it. */
import { type ClientConfig, PubSub } from '@google-cloud/pubsub';
import { onTestFinished } from 'vitest';
import { type GooglePubSub, type GooglePubSubOptions, startGooglePubSub } from './server.ts';

export const topicName = 'projects/my-project/topics/alerts';
export const subscriptionName = 'projects/my-project/subscriptions/reader';

export async function start(options: GooglePubSubOptions = {}): Promise<GooglePubSub> {
  const google = await startGooglePubSub({ topics: [topicName], ...options });
  onTestFinished(() => google.close());
  return google;
}

/** The official client, in plain text. */
export function clientOf({ endpoint }: { endpoint: string }, config: ClientConfig = {}): PubSub {
  const client = new PubSub({
    apiEndpoint: endpoint,
    emulatorMode: true,
    projectId: 'my-project',
    ...config,
  });
  onTestFinished(() => client.close());
  return client;
}

/** Publishes once, without trying again, and waits for no more than this. */
export const once = {
  batching: { maxMessages: 1 },
  gaxOpts: { retry: null, timeout: 5000 },
} as const;
