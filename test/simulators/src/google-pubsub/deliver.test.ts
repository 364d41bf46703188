import { describe, expect, it, onTestFinished } from 'vitest';
import { clientOf, read, start, subscriberOf, subscriptionName, topicName } from './testing.ts';

interface Received {
  receivedMessages: { ackId: string }[];
}

async function subscribed() {
  const google = await start();
  google.addSubscription(subscriptionName, topicName);
  return {
    google,
    subscriber: subscriberOf(google),
    publish: (...texts: string[]) => google.publish('alerts', ...texts.map((data) => ({ data }))),
  };
}

describe('leases', () => {
  it.each([
    ['no ack ID', [], /^You have not specified an ack ID in the request/],
    [
      'a wrong ack ID',
      ['nonsense'],
      /^You have passed an invalid ack ID .* \(ack_id=nonsense\)\.$/,
    ],
  ])('rejects %s', async (_what, ackIds, details) => {
    const { subscriber } = await subscribed();

    const acknowledging = subscriber.acknowledge({ subscription: subscriptionName, ackIds });

    await expect(acknowledging).rejects.toMatchObject({
      code: 3,
      details: expect.stringMatching(details),
    });
  });

  it('end by the clock', async () => {
    const { publish, subscriber } = await subscribed();
    const ackIds: string[] = [];
    const stream = subscriber.streamingPull();
    onTestFinished(() => void stream.destroy());
    stream
      .on('error', () => undefined)
      .on('data', ({ receivedMessages }: Received) => {
        for (const { ackId } of receivedMessages) ackIds.push(ackId);
      });
    stream.write({ subscription: subscriptionName, streamAckDeadlineSeconds: 600 });
    publish('1');
    await expect.poll(() => ackIds).toHaveLength(1);

    await subscriber.modifyAckDeadline({
      subscription: subscriptionName,
      ackIds,
      ackDeadlineSeconds: 1,
    });

    await expect.poll(() => ackIds).toHaveLength(2);
  });
});

describe('streaming pull', () => {
  it('sends no more than what may be outstanding', async () => {
    const { google, publish } = await subscribed();
    publish('1', '2', '3');
    const oneByOne = clientOf(google).subscription(subscriptionName, {
      flowControl: { maxMessages: 1 },
      streamingOptions: { maxStreams: 1 },
    });
    const out: number[] = [];

    await read(oneByOne, (message, count) => {
      out.push(google.unacknowledged('reader').out);
      message.ack();
      return count < 3 ? 'more' : 'done';
    });

    expect(out).toEqual([1, 1, 1]);
  });

  it('sends no more bytes than what may be outstanding', async () => {
    const { google, publish } = await subscribed();
    publish('a'.repeat(600), 'b'.repeat(600), 'c'.repeat(600));
    const subscription = clientOf(google).subscription(subscriptionName, {
      flowControl: { maxBytes: 1000 },
      streamingOptions: { maxStreams: 1 },
    });
    const out: number[] = [];

    await read(subscription, (message, count) => {
      out.push(google.unacknowledged('reader').out);
      message.ack();
      return count < 3 ? 'more' : 'done';
    });

    // As long as there is less than the limit outstanding, one more goes out.
    expect(Math.max(...out)).toBe(2);
  });
});

describe('subscriptions', () => {
  it('are not made when they would do nothing here', async () => {
    const google = await start();
    const topic = clientOf(google).topic('alerts');

    const creating = topic.createSubscription('reader', { enableExactlyOnceDelivery: true });

    await expect(creating).rejects.toMatchObject({ code: 12 });
  });

  it('expire never, when asked so', async () => {
    const google = await start();

    const [subscription] = await clientOf(google)
      .topic('alerts')
      .createSubscription('reader', { expirationPolicy: {}, messageRetentionDuration: 3600 });

    expect((await subscription.getMetadata())[0].expirationPolicy).not.toBeNull();
  });
});
