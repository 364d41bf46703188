import type { v1 } from '@google-cloud/pubsub';
import { describe, expect, it } from 'vitest';
import {
  clientOf,
  read,
  readSome,
  start,
  subscriberOf,
  subscriptionName,
  textOf,
  topicName,
} from './testing.ts';

type Settings = Parameters<Awaited<ReturnType<typeof start>>['addSubscription']>[2];

async function subscribed(settings: Settings = {}, options: Parameters<typeof start>[0] = {}) {
  const google = await start(options);
  google.addSubscription(subscriptionName, topicName, settings);
  const subscriber = subscriberOf(google);
  const publishWithKey = (orderingKey: string, ...texts: string[]) =>
    google.publish('alerts', ...texts.map((data) => ({ data, orderingKey })));
  return {
    google,
    subscriber,
    publish: (...texts: string[]) => publishWithKey('', ...texts),
    publishWithKey,
    pull: (maxMessages = 10) => pull(subscriber, { maxMessages, returnImmediately: true }),
    ack: (...ackIds: string[]) =>
      subscriber.acknowledge({ subscription: subscriptionName, ackIds }),
    nack: (...ackIds: string[]) =>
      subscriber.modifyAckDeadline({
        subscription: subscriptionName,
        ackIds,
        ackDeadlineSeconds: 0,
      }),
  };
}

async function pull(
  subscriber: v1.SubscriberClient,
  options: { maxMessages: number; returnImmediately: boolean },
) {
  const [{ receivedMessages }] = await subscriber.pull({
    subscription: subscriptionName,
    ...options,
  });
  return (receivedMessages ?? []).map(({ ackId, message }) => ({
    ackId: ackId ?? '',
    text: Buffer.from(message?.data ?? '').toString(),
  }));
}

function textsOf(messages: { text: string }[]): string {
  return messages.map(({ text }) => text).join('');
}

describe('leases', () => {
  it('gives nobody what somebody has', async () => {
    const { google, publish, pull } = await subscribed();
    publish('1', '2', '3');

    expect(textsOf(await pull(2))).toBe('12');
    expect(textsOf(await pull())).toBe('3');
    expect(textsOf(await pull())).toBe('');

    expect(google.unacknowledged('reader')).toEqual({ messages: 3, out: 3 });
  });

  it('gives again what nobody acknowledges in time', async () => {
    const { google, publish, pull, ack } = await subscribed();
    publish('1', '2');
    const [first, second] = await pull();
    await ack(first?.ackId ?? '');

    google.expireLeases();

    const again = await pull();
    expect(textsOf(again)).toBe('2');
    await ack(second?.ackId ?? '');
    expect(google.unacknowledged('reader'), 'that came too late').toEqual({ messages: 1, out: 1 });
    await ack(again[0]?.ackId ?? '');
    expect(google.unacknowledged('reader')).toEqual({ messages: 0, out: 0 });
  });

  it('ends a lease by the clock', async () => {
    const { publish, pull, subscriber } = await subscribed();
    publish('1');
    const [first] = await pull();

    await subscriber.modifyAckDeadline({
      subscription: subscriptionName,
      ackIds: [first?.ackId ?? ''],
      ackDeadlineSeconds: 1,
    });

    await expect.poll(async () => textsOf(await pull())).toBe('1');
  });

  it('wakes a pull that waits', async () => {
    const { google, publish, subscriber } = await subscribed();
    const waiting = pull(subscriber, { maxMessages: 10, returnImmediately: false });
    await google.callsSeen(1, 'Pull');

    publish('1');

    expect(textsOf(await waiting)).toBe('1');
  });

  it.each([
    ['no ack ID', [], /^You have not specified an ack ID in the request/],
    [
      'a wrong ack ID',
      ['nonsense'],
      /^You have passed an invalid ack ID .* \(ack_id=nonsense\)\.$/,
    ],
  ])('rejects %s', async (_what, ackIds, details) => {
    const { ack } = await subscribed();

    await expect(ack(...ackIds)).rejects.toMatchObject({
      code: 3,
      details: expect.stringMatching(details),
    });
  });
});

describe('ordering', () => {
  it('goes back to the message that was given back, and takes all later ones along', async () => {
    const { google, publishWithKey, pull, ack, nack } = await subscribed({
      enableMessageOrdering: true,
    });
    publishWithKey('a', '1', '2', '3', '4');
    publishWithKey('b', 'x');
    const first = await pull();
    expect(textsOf(first)).toMatch(/1.*2.*3.*4/);
    const idOf = (text: string) => first.find((message) => message.text === text)?.ackId ?? '';

    await ack(idOf('1'), idOf('3'));
    await nack(idOf('2'));

    const again = await pull();
    expect(textsOf(again)).toBe('234');
    await ack(idOf('4'));
    await ack(...again.map(({ ackId }) => ackId));
    expect(google.unacknowledged('reader'), 'the other key').toEqual({ messages: 1, out: 1 });
  });

  it('is kept though a client has several streams', async () => {
    const { google, publishWithKey } = await subscribed({ enableMessageOrdering: true });
    for (let n = 0; n < 500; n += 1) publishWithKey(`${n % 3}`, `${n}`.padStart(3, '0'));

    const messages = await readSome(clientOf(google).subscription(subscriptionName), 500);

    for (const key of ['0', '1', '2']) {
      const texts = messages.filter(({ orderingKey }) => orderingKey === key).map(textOf);
      expect(texts).toEqual(texts.toSorted());
    }
  });

  it('is nothing to a subscription that did not ask for it', async () => {
    const { publishWithKey, pull, nack } = await subscribed();
    publishWithKey('a', '1', '2');

    const [one] = await pull(1);
    await nack(one?.ackId ?? '');

    expect(textsOf(await pull())).toBe('21');
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

  it('comes back after the service has ended it', async () => {
    const { google, publish } = await subscribed();
    publish('1');
    const subscription = clientOf(google).subscription(subscriptionName, {
      streamingOptions: { maxStreams: 1 },
    });

    const reading = readSome(subscription, 2);
    await google.callsSeen(1, 'Acknowledge');

    google.endStreams();
    await google.callsSeen(2, 'StreamingPull');
    publish('2');

    const messages = await reading;
    expect(messages.map(textOf)).toEqual(['1', '2']);
  });

  it('ends when the subscription is deleted', async () => {
    const { google, subscriber } = await subscribed();
    const reading = read(clientOf(google).subscription(subscriptionName), () => 'done');
    const rejected = expect(reading).rejects.toMatchObject({ code: 5 });
    await google.callsSeen(1, 'StreamingPull');

    await subscriber.deleteSubscription({ subscription: subscriptionName });

    await rejected;
  });
});

describe('filters', () => {
  it('keeps from a subscription what it does not want', async () => {
    const google = await start();
    google.addSubscription(subscriptionName, topicName, { filter: 'attributes.severity = "page"' });

    for (const severity of ['warning', 'page']) {
      google.publish('alerts', { data: severity, attributes: { severity } });
    }

    expect(google.unacknowledged('reader')).toEqual({ messages: 1, out: 0 });
    const messages = await readSome(clientOf(google).subscription(subscriptionName), 1);
    expect(messages.map(textOf)).toEqual(['page']);
  });

  it('rejects one that nobody understands', async () => {
    const google = await start();
    const topic = clientOf(google).topic('alerts');

    const creating = topic.createSubscription('reader', { filter: 'severity = page' });

    await expect(creating).rejects.toMatchObject({ code: 3 });
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
