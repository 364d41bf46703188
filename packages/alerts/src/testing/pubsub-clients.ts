import { connectPubSub } from '../pubsub/pubsub-client.ts';

/** @param endpoint a Pub/Sub without TLS: `127.0.0.1:8538` */
export async function plainTextClients(endpoint: string) {
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
