// Prints each change of an alert once, in order: node consumer.mjs PROJECT SUBSCRIPTION
import { PubSub } from '@google-cloud/pubsub';

const [, , projectId, name = ''] = process.argv;
const seen = new Set();
const subscription = new PubSub({ projectId }).subscription(name);
subscription.on('message', (message) => {
  const { id, kind, status, location, alertname } = message.attributes;
  if (kind === 'transition' && !seen.has(id)) {
    console.log(status, location, alertname, JSON.parse(message.data).summary ?? '');
  }
  seen.add(id);
  if (seen.size > 10_000) seen.delete(seen.values().next().value);
  message.ack();
});
