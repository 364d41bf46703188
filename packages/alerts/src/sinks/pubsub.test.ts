import { execFileSync } from 'node:child_process';
import { untilTestEnds } from '@skolo/base/testing';
import {
  type GooglePubSub,
  type GooglePubSubOptions,
  startGooglePubSub,
  startPstest,
  startRelay,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { decode } from '../message/decode.ts';
import { connectPubSub } from '../pubsub/pubsub-client.ts';
import type { Sink } from '../sink.ts';
import { alertMessage, flat, heartbeatMessage, numberedAlert } from '../testing/messages.ts';
import { sinkErrorOf } from '../testing/sink-error.ts';
import { createPubSubSink, type PubSubSinkOptions } from './pubsub.ts';

const topic = 'projects/my-project/topics/alerts';

async function start(options: GooglePubSubOptions = {}) {
  return untilTestEnds(await startGooglePubSub({ topics: [topic], ...options }));
}

function sinkFor(
  { endpoint }: { endpoint: string },
  options: Partial<PubSubSinkOptions> = {},
): Sink {
  const sink = createPubSubSink(
    {
      name: 'pubsub',
      project: 'my-project',
      topic: 'alerts',
      createTopic: true,
      endpoint,
      credentials: 'default',
      orderingKeys: 4,
      encodeAs: flat,
      ...options,
    },
    { env: {} },
  );
  onTestFinished(() => sink.close());
  return sink;
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function published(google: GooglePubSub) {
  return google.published(topic).map(({ data, attributes, orderingKey }) => ({
    key: orderingKey,
    decoded: decode(data, attributes),
  }));
}

describe('a published message', () => {
  it('is one request, with its ordering key, in order', async () => {
    const google = await start();
    const sink = sinkFor(google);
    const messages = Array.from({ length: 50 }, (_, n) => numberedAlert(n));

    await sink.send(messages, 'rack4-3', never());

    expect(google.counts.requests).toEqual({ Publish: 1 });
    expect(published(google)).toMatchObject(
      messages.map(({ id }) => ({ key: 'rack4-3', decoded: { kind: 'transition', id } })),
    );
  });

  it('has attributes, and no ordering key where it is a heartbeat', async () => {
    const google = await start();
    const sink = sinkFor(google);
    const heartbeat = heartbeatMessage();

    await sink.send([heartbeat], sink.orderingKeyOf(heartbeat), never());

    expect(google.published(topic)).toMatchObject([
      { orderingKey: '', attributes: { kind: 'heartbeat', schema: '1', location: 'rack4' } },
    ]);
  });

  it('is split where it is too much for one request', async () => {
    const google = await start();
    const sink = sinkFor(google);
    const large = { description: 'x'.repeat(2_500_000) };
    const messages = Array.from({ length: 5 }, (_, n) => numberedAlert(n, large));
    const many = Array.from({ length: 1001 }, (_, n) => numberedAlert(10 + n));

    await sink.send(messages, 'rack4-0', never());
    await sink.send(many, 'rack4-0', never());

    expect(google.counts.requests).toEqual({ Publish: 4 });
    expect(published(google).map(({ decoded }) => decoded)).toMatchObject(
      [...messages, ...many].map(({ id }) => ({ id })),
    );
  });

  it('is sent at the same time as those of other ordering keys', async () => {
    const google = await start();
    const relay = untilTestEnds(await startRelay(google));
    const sink = sinkFor(relay);
    await sink.send([numberedAlert(99)], 'rack4-99', never());
    const held = relay.inject({ after: { answered: 0 }, effect: 'wait' });
    const warned = vi.fn();
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const signal = never();

    const sending = Array.from({ length: 16 }, (_, n) =>
      sink.send([numberedAlert(n)], `rack4-${n}`, signal),
    );
    await google.callsSeen(17, 'Publish');
    held.end();
    await Promise.all(sending);

    expect(google.counts.messages).toBe(17);
    expect(warned).not.toHaveBeenCalled();
  });

  it('connects to nothing and loads nothing before the first message', () => {
    const sink = createPubSubSink({
      name: 'pubsub',
      topic: 'alerts',
      createTopic: true,
      credentials: { keyFile: '/nowhere/key.json' },
      orderingKeys: 32,
      encodeAs: flat,
    });

    expect(sink.limits.messages).toBeGreaterThan(1);
    expect(sink.orderingKeyOf(alertMessage())).toBe('rack4-19');
  });
});

describe('the topic', () => {
  it('is created where it is missing, once for all ordering keys', async () => {
    const google = await start({ topics: [] });
    const sink = sinkFor(google);

    await Promise.all(
      [0, 1, 2, 3].map((n) => sink.send([numberedAlert(n)], `rack4-${n}`, never())),
    );

    expect(google.counts.messages).toBe(4);
    expect(google.calls.filter(({ method }) => method === 'CreateTopic')).toHaveLength(1);
  });

  it('may be created by another client meanwhile', async () => {
    const google = await start({ topics: [] });
    const sink = sinkFor(google);
    google.script({ code: 'NOT_FOUND' }, { at: ['Publish'], times: 1 });
    google.addTopic(topic);

    await sink.send([numberedAlert(1)], 'rack4-0', never());

    expect(google.counts.messages).toBe(1);
  });

  it('is required where it may not be created', async () => {
    const google = await start({ topics: [] });
    const error = await sinkErrorOf(
      sinkFor(google, { createTopic: false }).send([numberedAlert(1)], 'rack4-0', never()),
    );

    expect(error).toMatchObject({ reason: 'topic', code: 'NOT_FOUND' });
    expect(error.message).toContain(topic);
    expect(google.counts.requests).toEqual({ Publish: 1 });
  });

  it('is required where these credentials cannot create it', async () => {
    const google = await start({ topics: [] });
    google.script({ code: 'PERMISSION_DENIED' }, { at: ['CreateTopic'] });

    const error = await sinkErrorOf(sinkFor(google).send([numberedAlert(1)], 'rack4-0', never()));

    expect(error).toMatchObject({ reason: 'topic', code: 'PERMISSION_DENIED' });
    expect(error.message).toContain('gcloud pubsub topics create alerts --project my-project');
  });
});

describe('a failure', () => {
  it.each([
    ['UNAVAILABLE', 'unavailable'],
    ['ABORTED', 'unavailable'],
    ['INTERNAL', 'unavailable'],
    ['UNKNOWN', 'unavailable'],
    ['CANCELLED', 'unavailable'],
    ['DEADLINE_EXCEEDED', 'timeout'],
    ['PERMISSION_DENIED', 'permission'],
    ['UNAUTHENTICATED', 'credentials'],
    ['RESOURCE_EXHAUSTED', 'quota'],
    ['FAILED_PRECONDITION', 'topic'],
    ['INVALID_ARGUMENT', 'rejected'],
  ] as const)('%s is reported as %s, after one try', async (code, reason) => {
    const google = await start();
    const sink = sinkFor(google);
    google.script({ code }, { at: ['Publish'], times: 1 });

    const error = await sinkErrorOf(sink.send([numberedAlert(1)], 'rack4-0', never()));

    expect(error).toMatchObject({ reason, code });
    expect(error.message).toMatch(new RegExp(`^Pub/Sub, ${topic}: ${code}: .+; .+`));
    expect(google.counts.requests).toEqual({ Publish: 1 });
    await sink.send([numberedAlert(1)], 'rack4-0', never());
    expect(google.counts.messages).toBe(1);
  });

  it('blames no message for the name of the topic', async () => {
    const google = await start();
    const sink = sinkFor(google);
    const message = 'Invalid resource name given (name=x).';
    google.script({ code: 'INVALID_ARGUMENT', message });

    const error = await sinkErrorOf(sink.send([numberedAlert(1)], 'rack4-0', never()));

    expect(error.reason).toBe('topic');
  });

  it('rejects a message that is too large before sending it', async () => {
    const google = await start();
    const large = numberedAlert(1, { description: 'x'.repeat(9_600_000) });

    const error = await sinkErrorOf(
      sinkFor(google).send([numberedAlert(2), large], 'rack4-0', never()),
    );

    expect(error).toMatchObject({ reason: 'too-large', code: 'TOO_LARGE' });
    expect(error.message).toContain(large.id);
    expect(google.counts.requests).toEqual({});
  });

  it('has a deadline, and does not keep a connection that swallows everything', async () => {
    const google = await start();
    const relay = untilTestEnds(await startRelay(google));
    // Long enough for a sink that responds, even on a busy machine.
    const sink = sinkFor(relay, { timeoutMs: 3000, heartbeatTimeoutMs: 3000 });
    await sink.send([numberedAlert(1)], 'rack4-0', never());
    relay.inject({ effect: 'silence', times: 1 });

    const errors = await Promise.all([
      sinkErrorOf(sink.send([numberedAlert(2)], 'rack4-0', never())),
      sinkErrorOf(sink.send([heartbeatMessage()], '', never())),
    ]);
    await sink.send([numberedAlert(3)], 'rack4-0', never());

    expect(errors).toMatchObject([
      { reason: 'timeout', code: 'DEADLINE_EXCEEDED' },
      { reason: 'timeout', code: 'DEADLINE_EXCEEDED' },
    ]);
    expect(published(google)).toHaveLength(2);
  });

  it('ends at once when aborted', async () => {
    const google = await start();
    const relay = untilTestEnds(await startRelay(google));
    const sink = sinkFor(relay, { timeoutMs: 3_600_000 });
    await sink.send([numberedAlert(0)], 'rack4-0', never());
    const silence = relay.inject({ effect: 'silence' });
    const ending = new AbortController();

    const sending = sinkErrorOf(sink.send([numberedAlert(1)], 'rack4-0', ending.signal));
    await silence.struck();
    ending.abort();

    expect(await sending).toMatchObject({ code: 'ABORTED' });
    expect(
      await sinkErrorOf(sink.send([numberedAlert(1)], 'rack4-0', ending.signal)),
    ).toMatchObject({
      code: 'ABORTED',
    });
    expect(google.counts.requests).toEqual({ Publish: 1 });
  });

  it('recovers by itself after an outage', async () => {
    const google = await start();
    const sink = sinkFor(google);
    await sink.send([numberedAlert(1)], 'rack4-0', never());
    await google.stop();

    const error = await sinkErrorOf(sink.send([numberedAlert(2)], 'rack4-0', never()));
    await google.start();

    expect(error).toMatchObject({ reason: 'unavailable', code: 'UNAVAILABLE' });
    expect(String(error)).not.toContain('Resolution note');
    await expect
      .poll(() =>
        sink.send([numberedAlert(2)], 'rack4-0', never()).then(
          () => 'sent',
          () => 'not yet',
        ),
      )
      .toBe('sent');
    expect(published(google)).toHaveLength(2);
  });

  it('reports a missing project', async () => {
    const google = await start();
    const sink = sinkFor(google, { project: undefined });

    const error = await sinkErrorOf(sink.send([numberedAlert(1)], 'rack4-0', never()));

    expect(error).toMatchObject({ reason: 'credentials', code: 'NO_PROJECT' });
    expect(error.message).toContain('services.alert-to-pubsub.project');
  });
});

describe('another endpoint', () => {
  it('is at PUBSUB_EMULATOR_HOST, regardless of rack.yaml', async () => {
    const google = await start();
    const connection = await connectPubSub(
      { endpoint: 'us-east1-pubsub.googleapis.com:443', credentials: { keyFile: '/nowhere' } },
      { env: { PUBSUB_EMULATOR_HOST: google.endpoint, GOOGLE_CLOUD_PROJECT: 'env-project' } },
    ).catch((error: unknown) => error);

    // The project is requested from the right URL, although there is no sign-in.
    expect(connection).toMatchObject({ reason: 'credentials', code: 'SECRET_MISSING' });
    const other = await connectPubSub(
      { endpoint: 'us-east1-pubsub.googleapis.com:443', credentials: 'default' },
      { env: { PUBSUB_EMULATOR_HOST: google.endpoint, GOOGLE_CLOUD_PROJECT: 'env-project' } },
    );
    expect(other.project).toBe('env-project');
    const publisher = other.publisher();
    onTestFinished(() => publisher.close());
    await publisher.createTopic({ name: 'projects/env-project/topics/there' });
    expect(google.counts.requests).toEqual({ CreateTopic: 1 });
  });

  it("of Google's pstest accepts all messages", async (context) => {
    const pstest = await startPstest();
    if (pstest === undefined) return context.skip('pstest is not built');
    onTestFinished(() => pstest.close());
    const connection = await connectPubSub({
      project: 'my-project',
      endpoint: pstest.endpoint,
      credentials: 'default',
    });
    const [publisher, subscriber] = [connection.publisher(), connection.subscriber()];
    onTestFinished(async () => void (await Promise.all([publisher.close(), subscriber.close()])));
    const sink = sinkFor(pstest);
    const messages = Array.from({ length: 20 }, (_, n) => numberedAlert(n));

    const missing = await sinkErrorOf(
      sinkFor(pstest, { createTopic: false }).send([numberedAlert(1)], 'rack4-0', never()),
    );
    await publisher.createTopic({ name: topic });
    const subscription = 'projects/my-project/subscriptions/all';
    await subscriber.createSubscription({
      name: subscription,
      topic,
      enableMessageOrdering: true,
    });
    await sink.send(messages, 'rack4-1', never());
    await sinkFor(pstest, { topic: 'another' }).send([heartbeatMessage()], '', never());
    const ids: string[] = [];
    while (ids.length < messages.length) {
      const [{ receivedMessages }] = await subscriber.pull({ subscription, maxMessages: 100 });
      for (const { message } of receivedMessages ?? []) {
        const decoded = decode(Buffer.from(message?.data ?? ''), message?.attributes ?? {});
        expect(message?.orderingKey).toBe('rack4-1');
        ids.push('id' in decoded ? (decoded.id ?? '') : '');
      }
      const ackIds = (receivedMessages ?? []).map(({ ackId }) => ackId ?? '');
      if (ackIds.length > 0) await subscriber.acknowledge({ subscription, ackIds });
    }

    expect(missing).toMatchObject({ reason: 'topic', code: 'NOT_FOUND' });
    expect(ids).toEqual(messages.map(({ id }) => id));
  });
});

it('the library is not loaded by an import of this module', () => {
  const file = new URL('../index.ts', import.meta.url).href;
  const script = `import(${JSON.stringify(file)}).then(() => {
      const loaded = Object.keys(require.cache).filter((path) => /google|grpc/.test(path));
      console.log(JSON.stringify(loaded));
    })`;

  expect(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })).toBe('[]\n');
});
