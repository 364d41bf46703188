import { isLong } from '@skolo/base/durable/fault-injection';
import { untilTestEnds } from '@skolo/base/testing';
import { type GooglePubSub, startGooglePubSub, startPstest, startRelay } from '@skolo/simulators';
import { afterAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { encode } from '../message/encode.ts';
import type { Message } from '../message/message.ts';
import { flat, heartbeatMessage, numberedAlert } from '../testing/messages.ts';
import { plainTextClients } from '../testing/pubsub-clients.ts';
import {
  type Received,
  type SubscribeOptions,
  type SubscriptionState,
  subscribe,
} from './subscribe.ts';

interface Place {
  endpoint: string;
  close(): Promise<void>;
}

async function connect({ endpoint }: Place, topic: string) {
  const clients = untilTestEnds(await plainTextClients(endpoint));
  const resource = `projects/rack-4/topics/${topic}`;
  await clients.publisher.createTopic({ name: resource });
  async function publish(messages: readonly Message[], location = 'rack4', orderingKey = '') {
    const encoded = messages.map((message) => encode(message, { ...flat, location }));
    await clients.publisher.publish({
      topic: resource,
      messages: encoded.map(({ json, attributes }) => ({
        data: Buffer.from(json),
        attributes,
        orderingKey,
      })),
    });
  }
  return { ...clients, topic, publish };
}

type Opened = Awaited<ReturnType<typeof connect>>;

function listen({ connection, topic }: Opened, options: Partial<SubscribeOptions> = {}) {
  const ending = new AbortController();
  const got: Received[] = [];
  const states: SubscriptionState[] = [];
  const ended = subscribe(connection, {
    topic,
    signal: ending.signal,
    onMessage: (message) => void got.push(message),
    onState: (state) => void states.push(state),
    ...options,
  });
  const end = () => {
    ending.abort();
    return ended;
  };
  onTestFinished(() => end().catch(() => undefined));
  const ready = () => expect.poll(() => states).toContainEqual({ state: 'ready' });
  const ids = () =>
    got.map(({ decoded }) => ('id' in decoded ? decoded.id?.slice(-2) : decoded.kind));
  return { got, ids, states, ready, end, ended };
}

/** Each is started when its first test begins. */
const places: [name: string, start: () => Promise<Place | undefined>][] = isLong
  ? [
      ['the embedded Pub/Sub', () => startGooglePubSub()],
      ['pstest', startPstest],
    ]
  : [
      [
        'pstest, or the embedded Pub/Sub where that is not built',
        async () => (await startPstest()) ?? startGooglePubSub(),
      ],
    ];

describe.each(places)('with %s, a subscription', (_name, start) => {
  let started: Promise<Place | undefined> | undefined;
  afterAll(async () => (await started)?.close());
  let names = 0;

  async function open({ skip }: TestContext) {
    started ??= start();
    const place = (await started) ?? skip('pstest is not built');
    return connect(place, `alerts-${++names}`);
  }

  async function subscriptionsOf({ subscriber }: Opened): Promise<string[]> {
    const [all] = await subscriber.listSubscriptions({ project: 'projects/rack-4' });
    return all.map(({ name }) => name ?? '');
  }

  it('receives messages in order, and is deleted at the end', async (context) => {
    const place = await open(context);
    const { got, ids, ready, end } = listen(place);
    await ready();

    await place.publish([numberedAlert(1), numberedAlert(2), numberedAlert(3)], 'rack4', 'rack4-1');
    await expect.poll(ids).toEqual(['01', '02', '03']);

    expect(got[0]).toMatchObject({
      decoded: { kind: 'transition', name: 'Test', location: 'rack4', severity: 'info' },
      attributes: { alertname: 'Test', location: 'rack4' },
    });
    expect(Math.abs((got[0]?.published ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await subscriptionsOf(place)).toHaveLength(1);
    await end();
    expect(await subscriptionsOf(place)).toEqual([]);
  });

  it('filters by location, or heartbeats', async (context) => {
    const place = await open(context);
    const rack5 = listen(place, { location: 'rack5' });
    const beats = listen(place, { onlyHeartbeats: true });
    const all = listen(place);
    await Promise.all([rack5.ready(), beats.ready(), all.ready()]);

    await place.publish([numberedAlert(4), heartbeatMessage()]);
    await place.publish([numberedAlert(5)], 'rack5');

    await expect.poll(() => all.ids().sort()).toEqual(['04', '05', '0f']);
    await expect.poll(rack5.ids).toEqual(['05']);
    await expect.poll(beats.ids).toEqual(['0f']);
  });

  it('reads an existing subscription, and leaves it there', async (context) => {
    const place = await open(context);
    const name = `projects/rack-4/subscriptions/desk-${names}`;
    const topic = `projects/rack-4/topics/${place.topic}`;
    await place.subscriber.createSubscription({ name, topic });
    onTestFinished(
      async () => void (await place.subscriber.deleteSubscription({ subscription: name })),
    );
    await place.publish([numberedAlert(6)]);

    const first = listen(place, { subscription: `desk-${names}` });
    await expect.poll(first.ids).toEqual(['06']);
    // Acknowledged by then: it makes no further request.
    await first.end();
    await place.publish([numberedAlert(7)]);
    const second = listen(place, { subscription: name });

    await expect.poll(second.ids).toEqual(['07']);
    await second.end();
    expect(await subscriptionsOf(place)).toEqual([name]);
  });

  it('names a missing topic or subscription', async (context) => {
    const place = await open(context);

    await expect(listen({ ...place, topic: 'nobody' }).ended).rejects.toMatchObject({
      isLasting: true,
      message:
        'projects/rack-4/topics/nobody: no such topic; check the project and topic in rack.yaml, or wait until the first alert creates the topic',
    });
    await expect(listen(place, { subscription: 'nobody' }).ended).rejects.toThrow(
      'projects/rack-4/subscriptions/nobody: no such subscription; create it, or omit --subscription to use a temporary one',
    );
  });

  it('is created again after it was deleted, and reports the gap', async (context) => {
    const place = await open(context);
    const { ids, states, ready } = listen(place, { idleMs: 500 });
    await ready();
    await place.publish([numberedAlert(8)]);
    await expect.poll(ids).toEqual(['08']);

    const [subscription = ''] = await subscriptionsOf(place);
    await place.subscriber.deleteSubscription({ subscription });
    await expect.poll(() => states).toContainEqual({ state: 'gap' });
    await place.publish([numberedAlert(9)]);

    await expect.poll(ids).toEqual(['08', '09']);
  });

  it('waits while a message is handled, and ends in the middle of it', async (context) => {
    const place = await open(context);
    let release = () => {};
    const seen: (string | undefined)[] = [];
    const { ready, end } = listen(place, {
      onMessage: async ({ decoded }) => {
        seen.push('id' in decoded ? decoded.id?.slice(-2) : undefined);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    await ready();

    await place.publish([numberedAlert(10), numberedAlert(11), numberedAlert(12)], 'rack4', 'k');
    await expect.poll(() => seen).toEqual(['0a']);
    release();
    await expect.poll(() => seen).toEqual(['0a', '0b']);
    const ended = end();
    release();

    await ended;
    expect(seen).toEqual(['0a', '0b']);
  });
});

describe('when something is wrong with Pub/Sub, a subscription', () => {
  async function open(options: Partial<SubscribeOptions> = {}) {
    const pubsub = untilTestEnds(await startGooglePubSub());
    const relay = untilTestEnds(await startRelay(pubsub));
    const place = await connect(relay, 'alerts');
    return { pubsub, relay, place, ...listen(place, { idleMs: 500, ...options }) };
  }

  const lost = (text: string) => ({
    state: 'lost',
    error: expect.objectContaining({ message: expect.stringContaining(text) }),
  });

  it('reports the lost connection, and continues at the same message', async () => {
    const { relay, place, ids, states, ready } = await open();
    await ready();
    await relay.close();
    await expect.poll(() => states).toContainEqual(lost('Pub/Sub cannot be reached: '));

    await relay.open();
    await expect.poll(() => states.at(-1)).toEqual({ state: 'ready' });
    await place.publish([numberedAlert(1)]);

    await expect.poll(ids).toEqual(['01']);
    expect(states).not.toContainEqual({ state: 'gap' });
  });

  it('waits for it when it begins', async () => {
    const pubsub = untilTestEnds(await startGooglePubSub());
    const place = await connect(pubsub, 'alerts');
    await pubsub.stop();
    const { states } = listen(place);
    const why = `alerts: Pub/Sub cannot be reached: connect ECONNREFUSED ${pubsub.endpoint}`;
    await expect.poll(() => states).toContainEqual(lost(why));

    await pubsub.start();

    await expect.poll(() => states.at(-1)).toEqual({ state: 'ready' });
  });

  it('continues when streams end now and then', async () => {
    const { pubsub, place, ids, states, ready } = await open({ idleMs: 20_000 });
    await ready();
    for (const n of [1, 2, 3]) {
      const before = streams(pubsub);
      pubsub.endStreams();
      await expect.poll(() => streams(pubsub)).toBeGreaterThan(before);
      await place.publish([numberedAlert(n)]);
      await expect.poll(ids).toHaveLength(n);
    }

    expect(states).toEqual([{ state: 'ready' }]);
  });

  it('is lost when no answer comes, and uses another connection', async () => {
    const { relay, place, ids, states, ready } = await open();
    await ready();
    const silence = relay.inject({ effect: 'silence' });
    await expect.poll(() => states).toContainEqual(lost('Pub/Sub did not respond in time'));

    silence.end();
    await expect.poll(() => states.at(-1)).toEqual({ state: 'ready' });
    await place.publish([numberedAlert(1)]);

    await expect.poll(ids).toEqual(['01']);
  });

  it('ends at once when aborted, also without a connection', async () => {
    const { relay, states, ready, end } = await open({ idleMs: 60_000 });
    await ready();
    await relay.close();

    await end();

    expect(states.at(-1)).toMatchObject({ state: 'left' });
  });

  it('reports a missing permission, and does not retry', async () => {
    const pubsub = untilTestEnds(await startGooglePubSub());
    const place = await connect(pubsub, 'alerts');
    pubsub.script({ code: 'PERMISSION_DENIED' });

    await expect(listen(place).ended).rejects.toThrow(
      'projects/rack-4/topics/alerts: the account does not have permission to create a subscription; grant it roles/pubsub.editor, or specify an existing subscription',
    );
  });

  it('retries a failed acknowledgement', async () => {
    const { pubsub, place, got, ready } = await open();
    await ready();
    pubsub.script({ code: 'UNAVAILABLE' }, { at: ['Acknowledge'], times: 1 });

    await place.publish([numberedAlert(1)]);
    await expect.poll(() => got).toHaveLength(1);
    pubsub.expireLeases();

    await expect.poll(() => got.map(({ messageId }) => messageId)).toHaveLength(2);
    expect(got[0]?.messageId).toBe(got[1]?.messageId);
  });

  it('throws errors of the message handler', async () => {
    const { place, ended, ready } = await open({
      onMessage: () => {
        throw new RangeError('no paper');
      },
    });
    await ready();

    await place.publish([numberedAlert(1)]);

    await expect(ended).rejects.toThrow(new RangeError('no paper'));
  });
});

function streams({ counts }: GooglePubSub): number {
  return counts.requests.StreamingPull ?? 0;
}
