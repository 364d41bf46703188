import { generateKeyPairSync } from 'node:crypto';
import { v1 } from '@google-cloud/pubsub';
import { credentials, Metadata } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSignedCertificate } from '../google-oauth/certificate.ts';
import {
  clientOf,
  once,
  publisherOf,
  read,
  readSome,
  start,
  subscriptionName,
  textOf,
  topicName,
} from './testing.ts';

async function topicOf(options: Parameters<typeof start>[0] = {}) {
  const google = await start(options);
  const topic = clientOf(google).topic('alerts', once);
  return { google, publish: (text: string) => topic.publishMessage({ data: Buffer.from(text) }) };
}

function texts(messages: readonly { data: Buffer }[]): string {
  return messages.map(textOf).join('');
}

describe('faults', () => {
  it('rejects the next call, and no other', async () => {
    const { google, publish } = await topicOf();
    google.failNext({ method: 'Publish', code: 'RESOURCE_EXHAUSTED' });

    await expect(publish('1')).rejects.toMatchObject({
      code: 8,
      details: expect.stringContaining('Quota exceeded'),
    });
    await publish('2');

    expect(texts(google.published('alerts'))).toBe('2');
    expect(google.counts).toMatchObject({ requests: { Publish: 2 }, rejected: 1, messages: 1 });
    expect(google.calls).toMatchObject([
      { fault: 'reject', code: 'RESOURCE_EXHAUSTED' },
      { code: 'OK' },
    ]);
  });

  it('rejects everything until it behaves', async () => {
    const { google, publish } = await topicOf();
    const fault = google.misbehave('reject', { code: 'PERMISSION_DENIED', message: 'Not you.' });

    await expect(publish('1')).rejects.toMatchObject({ code: 7, details: 'Not you.' });
    await expect(publish('2')).rejects.toMatchObject({ code: 7 });
    google.behave();
    await publish('3');

    expect(fault.hits).toHaveLength(2);
    expect(texts(google.published('alerts'))).toBe('3');
  });

  it('is for one topic only', async () => {
    const { google, publish } = await topicOf({ topics: [topicName, `${topicName}-2`] });
    google.misbehave('reject', { resource: 'alerts-2' });

    await publish('1');

    await expect(
      clientOf(google)
        .topic('alerts-2', once)
        .publishMessage({ data: Buffer.from('2') }),
    ).rejects.toMatchObject({ code: 14 });
  });

  it('is tried again by the client, as the service is', async () => {
    const { google } = await topicOf();
    google.failNext({ code: 'UNAVAILABLE', times: 2 });

    await clientOf(google)
      .topic('alerts')
      .publishMessage({ data: Buffer.from('1') });

    expect(google.counts.requests.Publish).toBe(3);
    expect(google.published('alerts')).toHaveLength(1);
  });

  it('hangs: the client gives up', async () => {
    const { google } = await topicOf();
    google.misbehave('hang');
    const publisher = publisherOf(google);

    const publishing = publisher.publish(
      { topic: topicName, messages: [{ data: Buffer.from('1') }] },
      { retry: null, timeout: 200 },
    );

    await expect(publishing).rejects.toMatchObject({ code: 4 });
    await expect.poll(() => google.calls[0]?.cancelled).toBe(true);
    expect(google.published('alerts')).toEqual([]);
  });

  it('is slow until it is released', async () => {
    const { google, publish } = await topicOf();
    const fault = google.misbehave('slow', { times: 1 });
    const publishing = publish('1');
    await google.callsSeen(1, 'Publish');
    await publish('2');

    fault.release();
    await publishing;

    expect(texts(google.published('alerts'))).toBe('21');
  });

  it('is slow for a time', async () => {
    const { google, publish } = await topicOf();
    google.misbehave('slow', { milliseconds: 1 });

    await publish('1');

    expect(texts(google.published('alerts'))).toBe('1');
  });

  it('drops the connection', async () => {
    const { google, publish } = await topicOf();
    google.misbehave('drop', { times: 1 });

    await expect(publish('1')).rejects.toMatchObject({ code: 14 });
    await publish('2');

    expect(texts(google.published('alerts'))).toBe('2');
  });

  it.each(['reject', 'drop'] as const)('%s: what is stored is stored twice', async (kind) => {
    const { google } = await topicOf();
    google.misbehave(kind, { times: 1, done: 'all' });

    await clientOf(google)
      .topic('alerts')
      .publishMessage({ data: Buffer.from('1') });

    expect(texts(google.published('alerts'))).toBe('11');
  });

  it('stores the first half', async () => {
    const google = await start();
    const topic = clientOf(google).topic('alerts', {
      batching: { maxMessages: 5, maxMilliseconds: 1000 },
    });
    google.misbehave('reject', { times: 1, done: 'some' });

    await Promise.all(
      ['1', '2', '3', '4', '5'].map((text) => topic.publishMessage({ data: Buffer.from(text) })),
    );

    expect(texts(google.published('alerts'))).toBe('12312345');
  });

  it('rejects a stream', async () => {
    const google = await start();
    google.addSubscription(subscriptionName, topicName);
    google.misbehave('reject', { code: 'PERMISSION_DENIED', methods: ['StreamingPull'] });

    const reading = read(clientOf(google).subscription(subscriptionName), () => 'done');

    await expect(reading).rejects.toMatchObject({ code: 7 });
  });
});

describe('an outage', () => {
  it('ends with all that was there', async () => {
    const { google, publish } = await topicOf();
    google.addSubscription(subscriptionName, topicName);
    await publish('1');

    await google.stop();
    await expect(publish('2')).rejects.toMatchObject({ code: 14 });
    await google.start();

    const client = clientOf(google);
    await client.topic('alerts').publishMessage({ data: Buffer.from('3') });
    const messages = await readSome(client.subscription(subscriptionName), 2);
    expect(texts(messages)).toBe('13');
    expect(texts(google.published('alerts'))).toBe('13');
  });

  it('is over for a stream that was open', async () => {
    const google = await start();
    google.addSubscription(subscriptionName, topicName);
    const subscription = clientOf(google).subscription(subscriptionName, {
      streamingOptions: { maxStreams: 1 },
    });
    const reading = readSome(subscription, 1);
    await google.callsSeen(1, 'StreamingPull');

    google.dropConnections();
    await google.callsSeen(2, 'StreamingPull');
    google.publish('alerts', { data: '1' });

    expect(texts(await reading)).toBe('1');
  });
});

describe('a token', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tls = {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: selfSignedCertificate({
      publicKey,
      privateKey,
      commonName: 'localhost',
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(Date.now() + 3_600_000),
    }),
  };

  /** Publishes over TLS, with a token of this text. */
  async function publishAs(token: string | undefined) {
    const google = await start({ tls, accepts: (found) => found === 'good' });
    const call = credentials.createFromMetadataGenerator((_options, callback) => {
      const metadata = new Metadata();
      if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
      callback(null, metadata);
    });
    const channel = credentials.createSsl(Buffer.from(tls.certificate));
    const publisher = new v1.PublisherClient({
      servicePath: '127.0.0.1',
      port: google.port,
      sslCreds: credentials.combineChannelCredentials(channel, call),
      projectId: 'my-project',
      'grpc.ssl_target_name_override': 'localhost',
    });
    onTestFinished(() => publisher.close());
    const messages = [{ data: Buffer.from('1') }];
    await publisher.publish({ topic: topicName, messages }, { retry: null, timeout: 5000 });
    return google;
  }

  it('is needed when asked for', async () => {
    await expect(publishAs(undefined)).rejects.toMatchObject({
      code: 16,
      details: expect.stringMatching(/^Request is missing required authentication credential/),
    });
    await expect(publishAs('stolen')).rejects.toMatchObject({
      code: 16,
      details: expect.stringMatching(/^Request had invalid authentication credentials/),
    });
  });

  it('is in the books', async () => {
    const google = await publishAs('good');

    expect(google.calls).toMatchObject([{ method: 'Publish', token: 'good', code: 'OK' }]);
  });
});
