import { PubSub } from '@google-cloud/pubsub';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientOf, once, publisherOf, start, textOf, topicName } from './testing.ts';

async function topicOf(options: Parameters<typeof start>[0] = {}) {
  const google = await start(options);
  return { google, topic: clientOf(google).topic('alerts', { ...once, messageOrdering: true }) };
}

describe('what is published', () => {
  it('is kept, with what came along', async () => {
    const { google, topic } = await topicOf();

    const messageId = await topic.publishMessage({
      data: Buffer.from('on fire'),
      attributes: { severity: 'page' },
      orderingKey: 'rack4-1',
    });

    expect(google.published('alerts')).toEqual([
      {
        data: Buffer.from('on fire'),
        attributes: { severity: 'page' },
        orderingKey: 'rack4-1',
        messageId,
        publishTime: expect.any(Date),
      },
    ]);
    expect(google.published(topicName)).toHaveLength(1);
    expect(google.counts).toEqual({ requests: { Publish: 1 }, rejected: 0, messages: 1, bytes: 7 });
    expect(google.calls).toMatchObject([
      {
        method: 'Publish',
        resource: topicName,
        messages: 1,
        orderingKey: 'rack4-1',
        code: 'OK',
        cancelled: false,
      },
    ]);
  });

  it('comes from a client that is told of it by the environment', async () => {
    const google = await start();
    vi.stubEnv('PUBSUB_EMULATOR_HOST', google.endpoint);
    onTestFinished(() => void vi.unstubAllEnvs());
    const client = new PubSub({ projectId: 'my-project' });
    onTestFinished(() => client.close());

    await client.topic('alerts').publishMessage({ json: { on: 'fire' } });

    expect(google.published('alerts').map(textOf)).toEqual(['{"on":"fire"}']);
  });
});

it.each([
  ['all', '1234512345'],
  ['some', '12312345'],
] as const)('a scripted error can come after %s of a request is stored', async (done, stored) => {
  const google = await start();
  const batching = { maxMessages: 5, maxMilliseconds: 1000 };
  const topic = clientOf(google).topic('alerts', { batching });
  google.script({ code: 'UNAVAILABLE', done }, { times: 1 });

  await Promise.all([...'12345'].map((text) => topic.publishMessage({ data: Buffer.from(text) })));

  expect(google.published('alerts').map(textOf).join('')).toBe(stored);
});

const quotas = 'Refer to https://cloud.google.com/pubsub/quotas for more information.';

describe('limits', () => {
  it.each([
    [
      'an empty message',
      { data: Buffer.alloc(0) },
      'One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute.',
    ],
    [
      'a long value',
      { attributes: { text: 'ü'.repeat(513) } },
      `The attribute "text" in the request has a value that is too large. The size is 1026 bytes, but the maximum allowed is 1024. ${quotas}`,
    ],
    [
      'a long key',
      { attributes: { ['k'.repeat(257)]: '' } },
      `The attribute "${'k'.repeat(257)}" in the request has a key that is too large. The size is 257 bytes, but the maximum allowed is 256. ${quotas}`,
    ],
    [
      'too many attributes',
      { attributes: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`k${n}`, ''])) },
      `There are too many attributes in the request. The request contains 101 attributes, but the maximum allowed is 100. ${quotas}`,
    ],
    ['a key of Google', { attributes: { 'goog-x': '' } }, expect.stringContaining('"goog-x"')],
    ['an empty key', { attributes: { '': 'x' } }, expect.stringContaining('empty key')],
    [
      'a long ordering key',
      { data: Buffer.from('x'), orderingKey: 'k'.repeat(1025) },
      expect.stringContaining('The size is 1025 bytes, but the maximum allowed is 1024.'),
    ],
    [
      'too many bytes',
      { data: Buffer.alloc(10_000_000) },
      'The value for request_size is too large. You passed 10000045 in the request, but the maximum value is 10000000.',
    ],
    [
      'far too many bytes',
      { data: Buffer.alloc(11_000_000) },
      'Request payload size exceeds the limit: 10485760 bytes.',
    ],
  ])('%s', async (_what, message, details) => {
    const { google, topic } = await topicOf();

    await expect(topic.publishMessage(message)).rejects.toMatchObject({ code: 3, details });

    expect(google.counts).toMatchObject({ messages: 0, rejected: 1 });
  });

  it('takes what is just small enough', async () => {
    const { google, topic } = await topicOf();

    await topic.publishMessage({
      data: Buffer.alloc(9_800_000),
      attributes: Object.fromEntries(
        Array.from({ length: 100 }, (_, n) => [`${n}`.padStart(256, 'k'), 'v'.repeat(1024)]),
      ),
      orderingKey: 'k'.repeat(1024),
    });

    expect(google.counts.messages).toBe(1);
  });

  it.each([
    ['no message', [], 3, /^The value for message_count is too small. You passed 0 /],
    [
      '1001 messages',
      Array.from({ length: 1001 }, () => ({ data: Buffer.from('x') })),
      3,
      /^The value for message_count is too large. You passed 1001 .* 1000\.$/,
    ],
    [
      'two ordering keys',
      ['a', 'b'].map((orderingKey) => ({ data: Buffer.from('x'), orderingKey })),
      9,
      /^In a single publish request, all messages must have no ordering key or they must all have the same/,
    ],
  ])('%s in one request', async (_what, messages, code, details) => {
    const google = await start();
    const publisher = publisherOf(google);

    await expect(publisher.publish({ topic: topicName, messages })).rejects.toMatchObject({
      code,
      details: expect.stringMatching(details),
    });
  });

  it.each(['1st', 'go', 'google-alerts', 'a b', 'x'.repeat(256)])(
    'no topic named %s',
    async (id) => {
      const google = await start();
      const name = `projects/my-project/topics/${id}`;

      await expect(clientOf(google).createTopic(name)).rejects.toMatchObject({
        code: 3,
        details: `Invalid resource name given (name=${name}). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information.`,
      });
    },
  );
});
