/** A publisher, for tests of subscribers. */
import type { v1 } from '@google-cloud/pubsub';
import { connectPubSub, type PubSubConnection } from '../pubsub/pubsub-client.ts';

interface PubsubClients {
  connection: PubSubConnection;
  publisher: v1.PublisherClient;
  subscriber: v1.SubscriberClient;
  close(): Promise<void>;
}

/** @param endpoint a Pub/Sub without TLS: `127.0.0.1:8538` */
export async function plainTextClients(endpoint: string): Promise<PubsubClients> {
  const connection = await connectPubSub({ project: 'rack-4', endpoint, credentials: 'default' });
  const publisher = connection.publisher();
  const subscriber = connection.subscriber();
  return {
    connection,
    publisher,
    subscriber,
    async close() {
      await publisher.close();
      await subscriber.close();
    },
  };
}
