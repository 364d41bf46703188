/** Pub/Sub, and racks that publish to it: rack4 is healthy, rack5 is not, and nobody expects rack9. */
import { connectPubSub, type Message } from '@skolo/alerts';
import { createApp } from '@skolo/common';
import { type GooglePubSub, startGooglePubSub } from '@skolo/simulators';
import { alertAnswers, receiving } from './alert-to-pubsub.ts';
import * as data from './example/alerts.ts';
import { startScripted } from './service.ts';
import type { TestTokens } from './tokens.ts';

export interface PubSubRacks {
  pubsub: GooglePubSub;
  /** From rack4's alert-to-pubsub. */
  url: string;
  publish(message: Message, location: string): Promise<void>;
  /** The rack without heartbeats. */
  readonly muted: Set<string>;
  close(): Promise<void>;
}

const project = 'my-project';
const topic = `projects/${project}/topics/prometheus-alerts`;
/** Each can be read once. */
const workstations = ['desk-1', 'desk-2', 'desk-3', 'desk-4', 'desk-5'];
const beatMs = 400;

export async function startPubSubRacks({ tokens }: { tokens: TestTokens }): Promise<PubSubRacks> {
  const pubsub = await startGooglePubSub({ topics: [topic] });
  const { endpoint } = pubsub;
  const connection = await connectPubSub({ project, endpoint, credentials: 'default' });
  const publisher = connection.publisher();
  async function publish(message: Message, location: string): Promise<void> {
    await publisher.publish({ topic, messages: [data.published(message, location)] });
  }
  for (const workstation of workstations) {
    pubsub.addSubscription(`projects/${project}/subscriptions/${workstation}`, topic);
  }
  for (const { message, location } of data.backlog()) await publish(message, location);
  let isStuck = false;
  async function send(labels: Record<string, string>, status: 'firing' | 'resolved') {
    if (labels.alertname === 'Stuck') isStuck = true;
    else await publish(data.alert(labels, { status }), 'rack4');
  }
  const answers = alertAnswers(data.exampleAlerts, () => isStuck);
  const service = await startScripted('alert-to-pubsub', answers, {
    tokens,
    serve: (context, own) => receiving(createApp(context, own), send),
  });
  const muted = new Set<string>();
  // In one go, with the healthy rack last: whoever waits for that one has received all of them.
  const beat = async () => {
    const ill = { healthy: false, why: 'Prometheus has been silent for 6 min', spoolDepth: 3 };
    const beats = [
      { location: 'rack9', message: data.heartbeat({ version: '0.9.0' }) },
      { location: 'rack5', message: data.heartbeat(ill) },
      { location: 'rack4', message: data.heartbeat() },
    ];
    const messages = beats
      .filter(({ location }) => !muted.has(location))
      .map(({ location, message }) => data.published(message, location));
    if (messages.length === 0) return;
    // Tests end Pub/Sub, too.
    await publisher.publish({ topic, messages }).catch(() => undefined);
  };
  const beating = setInterval(() => void beat(), beatMs);
  return {
    pubsub,
    url: service.url,
    publish,
    muted,
    async close() {
      clearInterval(beating);
      await service.close();
      await publisher.close();
      await pubsub.close();
    },
  };
}
