/** The receiving end: Google's client for Pub/Sub, with its own subscription from before anything is published. */
import { connectPubSub, type Received, subscribe } from '@skolo/alerts';
import { onTestFinished } from 'vitest';

/** Of gRPC. */
const alreadyExists = 6;

/** @param endpoint a Pub/Sub without TLS: `127.0.0.1:8538` */
export async function startSubscriber(endpoint: string) {
  const project = 'my-project';
  const topic = 'prometheus-alerts';
  const connection = await connectPubSub({ project, endpoint, credentials: 'default' });
  const publisher = connection.publisher();
  await publisher.createTopic({ name: `projects/${project}/topics/${topic}` }).catch((error) => {
    // An emulator shared by several tests already has it.
    if (error.code !== alreadyExists) throw error;
  });
  await publisher.close();
  const messages: Received[] = [];
  const ending = new AbortController();
  let subscribed = Promise.resolve();
  await new Promise<void>((ready, failed) => {
    subscribed = subscribe(connection, {
      topic,
      signal: ending.signal,
      onMessage: (message) => void messages.push(message),
      onState: ({ state }) => state === 'ready' && ready(),
    });
    subscribed.catch(failed);
  });
  onTestFinished(async () => {
    ending.abort();
    await subscribed;
  });
  const isHeartbeat = ({ attributes }: Received) => attributes.kind === 'heartbeat';
  const received = () => messages.filter((message) => !isHeartbeat(message));
  return {
    /** In order of arrival, without heartbeats. */
    received,
    /** In short form: `transition firing Hot`. Without refreshes, because each alert has its own moment for them in the period. */
    summaries: () =>
      received()
        .filter(({ attributes }) => attributes.kind !== 'refresh')
        .map(
          ({ attributes: { kind, status, alertname, expired } }) =>
            `${kind} ${status} ${alertname}${expired === undefined ? '' : ' expired'}`,
        ),
    /** The status of each heartbeat: `healthy`, `unhealthy`. */
    health: () => messages.filter(isHeartbeat).map(({ attributes }) => attributes.status ?? ''),
  };
}
