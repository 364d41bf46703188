/** What the simulator and Google's pstest both do: one list of tests for either. */
import { randomUUID } from 'node:crypto';
import type { PubSub, Subscription, Topic } from '@google-cloud/pubsub';
import { afterAll, expect, it, type TestContext } from 'vitest';
import { connect, once, read, readSome, textOf } from './testing.ts';

const keyed = { ...once, messageOrdering: true };

interface Place {
  client: PubSub;
  topic: Topic;
  subscription: Subscription;
  name: string;
}

type SetUp = (
  context: TestContext,
  options?: { enableMessageOrdering?: boolean },
) => Promise<Place>;

/** @param endpoint undefined: it is not built */
export function behaviour(endpoint: () => string | undefined): void {
  const setUp = placesAt(endpoint);
  givesMessages(setUp);
  keepsResources(setUp);
}

/** What the service's documentation says and pstest does not do: it checks little, and gives a key's messages one at a time. */
export function documented(endpoint: () => string): void {
  asDocumented(placesAt(endpoint));
}

function placesAt(endpoint: () => string | undefined): SetUp {
  let client: PubSub | undefined;
  afterAll(() => client?.close());

  return async (context, options = {}) => {
    const at = endpoint();
    if (at === undefined) context.skip('pstest is not built');
    client ??= connect(at ?? '');
    const name = `alerts-${randomUUID()}`;
    const [topic] = await client.createTopic(name);
    const [subscription] = await topic.createSubscription(`${name}-reader`, options);
    return { client, topic, subscription, name };
  };
}

function givesMessages(setUp: SetUp): void {
  it('gives what is published to the subscriptions that there are', async (context) => {
    const { client, subscription, name } = await setUp(context);
    const topic = client.topic(name, once);

    const messageId = await topic.publishMessage({
      data: Buffer.from([0, 1, 255]),
      attributes: { severity: 'page', 'emoji 🙂': 'ü' },
    });

    const message = await readSome(subscription, 1);
    expect(message[0]).toMatchObject({
      id: messageId,
      attributes: { severity: 'page', 'emoji 🙂': 'ü' },
    });
    expect(message[0]?.data).toEqual(Buffer.from([0, 1, 255]));
    expect(Math.abs(Date.now() - (message[0]?.publishTime.getTime() ?? 0))).toBeLessThan(60_000);
  });

  it('publishes a thousand messages in one request', async (context) => {
    const { client, subscription, name } = await setUp(context);
    const topic = client.topic(name, { batching: { maxMessages: 1000, maxMilliseconds: 1000 } });

    const ids = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => topic.publishMessage({ data: Buffer.from(`${n}`) })),
    );

    expect(new Set(ids).size).toBe(1000);
    const texts = (await readSome(subscription, 1000)).map(({ data }) => data.toString());
    expect(new Set(texts).size).toBe(1000);
  });

  it('keeps the order of an ordering key', async (context) => {
    const { client, subscription, name } = await setUp(context, { enableMessageOrdering: true });
    const topic = client.topic(name, keyed);
    for (let n = 0; n < 5; n += 1) {
      for (const orderingKey of ['a', 'b']) {
        await topic.publishMessage({ data: Buffer.from(`${orderingKey}${n}`), orderingKey });
      }
    }

    const messages = await readSome(subscription, 10);

    for (const key of ['a', 'b']) {
      const texts = messages.filter(({ orderingKey }) => orderingKey === key).map(textOf);
      expect(texts).toEqual([0, 1, 2, 3, 4].map((n) => `${key}${n}`));
    }
  });

  it('gives a message again that was given back', async (context) => {
    const { client, subscription, name } = await setUp(context);
    const messageId = await client.topic(name, once).publishMessage({ data: Buffer.from('again') });

    const messages = await read(subscription, (message, count) => {
      if (count === 1) message.nack();
      else message.ack();
      return count === 1 ? 'more' : 'done';
    });

    expect(messages.map(({ id }) => id)).toEqual([messageId, messageId]);
  });
}

function keepsResources(setUp: SetUp): void {
  it('answers NOT_FOUND for a topic that is not there', async (context) => {
    const { client } = await setUp(context);

    const publishing = client
      .topic('no-such-topic', once)
      .publishMessage({ data: Buffer.from('x') });

    await expect(publishing).rejects.toMatchObject({ code: 5 });
  });

  it('answers NOT_FOUND for a subscription that is not there', async (context) => {
    const { client } = await setUp(context);

    await expect(client.subscription('no-such-one').getMetadata()).rejects.toMatchObject({
      code: 5,
    });
  });

  it('answers ALREADY_EXISTS for a topic that is there', async (context) => {
    const { client, name } = await setUp(context);

    await expect(client.createTopic(name)).rejects.toMatchObject({ code: 6 });
  });
}

function asDocumented(setUp: SetUp): void {
  it('gives a key again in its order', async (context) => {
    const { client, subscription, name } = await setUp(context, { enableMessageOrdering: true });
    const topic = client.topic(name, keyed);
    for (const text of ['1', '2', '3']) {
      await topic.publishMessage({ data: Buffer.from(text), orderingKey: 'key' });
    }

    const messages = await read(subscription, (message, count) => {
      if (count <= 3) message.nack();
      else message.ack();
      return count < 6 ? 'more' : 'done';
    });

    expect(messages.map(textOf)).toEqual(['1', '2', '3', '1', '2', '3']);
  });

  it('rejects an empty message', async (context) => {
    const { client, name } = await setUp(context);

    const publishing = client.topic(name, once).publishMessage({ data: Buffer.alloc(0) });

    await expect(publishing).rejects.toMatchObject({ code: 3 });
  });

  it('rejects a name that is too short', async (context) => {
    const { client } = await setUp(context);

    await expect(client.createTopic('ab')).rejects.toMatchObject({ code: 3 });
  });
}
