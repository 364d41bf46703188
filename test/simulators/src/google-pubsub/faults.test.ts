import { describe, expect, it } from 'vitest';
import { clientOf, once, read, start, subscriptionName, textOf, topicName } from './testing.ts';

async function topicOf() {
  const google = await start();
  const topic = clientOf(google).topic('alerts', once);
  return { google, publish: (text: string) => topic.publishMessage({ data: Buffer.from(text) }) };
}

function texts(messages: readonly { data: Buffer }[]): string {
  return messages.map(textOf).join('');
}

describe('faults', () => {
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
    google.misbehave('reject', { code: 'PERMISSION_DENIED', at: ['StreamingPull'] });

    const reading = read(clientOf(google).subscription(subscriptionName), () => 'done');

    await expect(reading).rejects.toMatchObject({ code: 7 });
  });
});
