/** Bodies of every kind: packed, cut, far too large, many at once, in another charset. */
import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { listed, type ReceiverLab, startReceivers, webhook } from './testing/receiver-lab.ts';

const gzip = { 'content-encoding': 'gzip' };
const limit = '{ maxBodyBytes: 100000 }';
const padded = (bytes: number) => JSON.stringify([listed({ padding: 'x'.repeat(bytes) })]);

/** Says that there is more, and leaves it at this. */
function begin(lab: ReceiverLab, text: string, length = 1_000_000) {
  const sending = request(`${lab.url}/webhook`, {
    method: 'POST',
    headers: { 'content-length': length },
    agent: false,
  });
  sending.on('error', () => undefined);
  sending.write(text);
  return sending;
}

describe('a packed body', () => {
  it.each(['gzip', 'GZIP', 'x-gzip', 'identity'])('is unpacked: %s', async (encoding) => {
    const lab = await startReceivers();
    const plain = JSON.stringify(webhook());

    const answer = await lab.post('/webhook', encoding === 'identity' ? plain : gzipSync(plain), {
      'content-encoding': encoding,
    });

    expect(answer.status).toBe(200);
    expect(lab.batches).toHaveLength(1);
  });

  it('is rejected wherever it is cut', async () => {
    const lab = await startReceivers();
    const packed = gzipSync(JSON.stringify(webhook()));
    const cuts = Array.from({ length: 20 }, (_, i) => Math.floor((packed.length * i) / 20));

    const answers = [];
    for (const at of cuts) answers.push(await lab.post('/webhook', packed.subarray(0, at), gzip));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    expect(lab.batches).toEqual([]);
  });
});

const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, ' '));
it.each([
  ['encoding', webhook(), { 'content-encoding': 'zstd' }],
  ['encoding', webhook(), { 'content-type': 'application/json; charset=iso-8859-1' }],
  ['too-large', bomb, gzip],
  ['malformed', webhook(), gzip],
])('a body that is rejected is counted by its reason: %s', async (reason, body, headers) => {
  const lab = await startReceivers({ settings: limit });

  await lab.post('/webhook', body, headers);

  expect(lab.rejections).toEqual([{ endpoint: 'webhook', reason }]);
});

describe('bodies in memory', () => {
  it('are bounded all together, and let go', async () => {
    const lab = await startReceivers({ mostInFlightBytes: 100_000 });

    const waiting = begin(lab, ' '.repeat(90_000));
    await expect
      .poll(async () => (await lab.post('/webhook', `${' '.repeat(20_000)}{}`)).status)
      .toBe(503);
    const small = await lab.post('/webhook', webhook());
    const large = await lab.post('/webhook', `${' '.repeat(20_000)}{}`);
    waiting.destroy();
    await expect
      .poll(async () => (await lab.post('/webhook', `${' '.repeat(20_000)}{}`)).status)
      .toBe(400);

    expect(small.status).toBe(200);
    expect(large.get('retry-after')).toBe('1');
    expect(lab.rejections).toContainEqual({ endpoint: 'webhook', reason: 'busy' });
  });

  const alerts = Array.from({ length: 50 }, (_, i) => listed({ labels: { i: `${i}` } }));
  const grouped = webhook({ alerts, groupLabels: { text: 'x'.repeat(20_000) } });
  it.each([
    ['are held until they are kept', 200_000, '/api/v2/alerts', padded(90_000), padded(20_000)],
    ['count with what is made of them', 1_200_000, '/webhook', grouped, grouped],
  ])('%s', async (_, mostInFlightBytes, path, one, another) => {
    const kept = Promise.withResolvers<void>();
    let taken = 0;
    const lab = await startReceivers({
      mostInFlightBytes,
      accept: async () => {
        taken += 1;
        if (taken === 1) await kept.promise;
      },
    });

    const first = lab.post(path, one);
    await expect.poll(() => taken).toBe(1);
    const second = await lab.post(path, another);
    kept.resolve();

    expect([(await first).status, second.status]).toEqual([200, 503]);
    expect((await lab.post(path, another)).status).toBe(200);
  });

  it('are rejected for good if a single one is larger than that', async () => {
    const lab = await startReceivers({ mostInFlightBytes: 1_000_000 });

    const answers = [];
    for (const body of [padded(400_000), padded(600_000), `[${'{},'.repeat(9000)}{}]`]) {
      answers.push(await lab.post('/api/v2/alerts', body));
    }

    expect(answers.map(({ status }) => status)).toEqual([200, 413, 413]);
    expect(answers[2]?.text).toContain('MiB of memory; send fewer alerts per request');
    expect(lab.rejections).toEqual([
      { endpoint: 'v2', reason: 'too-large' },
      { endpoint: 'v2', reason: 'too-large' },
    ]);
  });
});

describe('whoever sends it', () => {
  it('may go away in the middle', async () => {
    const lab = await startReceivers();

    const sending = request(`${lab.url}/webhook`, {
      method: 'POST',
      headers: { 'content-length': 1000, expect: '100-continue' },
      agent: false,
    });
    sending.on('error', () => undefined).flushHeaders();
    await once(sending, 'continue');
    sending.write('{"version":');
    sending.destroy();

    await expect.poll(() => lab.rejections).toEqual([{ endpoint: 'webhook', reason: 'gone' }]);
    expect((await lab.post('/webhook', webhook())).status).toBe(200);
  });
});

describe('the text', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain; charset="UTF-8"',
    'application/json;charset=us-ascii',
    '*/*',
  ])('may be called %s', async (type) => {
    const lab = await startReceivers();

    expect((await lab.post('/webhook', webhook(), { 'content-type': type })).status).toBe(200);
  });

  it.each([
    ['begins with a byte order mark', `\ufeff${JSON.stringify(webhook())}`, 200],
    ['is Latin-1', Buffer.from('[{"labels":{"a":"Gerät"}}]', 'latin1'), 400],
    ['is UTF-16', Buffer.from('[{"labels":{"a":"b"}}]', 'utf16le'), 400],
    ['contains a NUL', '[{"labels":{"a":"\0"}}]', 400],
    ['ends with one', '[]\0', 400],
    ['is cut', JSON.stringify(webhook()).slice(0, -1), 400],
    ['has something behind it', '[] []', 400],
    ['is a number', '5', 400],
  ])('%s', async (_what, body, status) => {
    const lab = await startReceivers();

    expect((await lab.post('/webhook', body)).status).toBe(status);
    expect(lab.batches).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('a message made to fill the memory', () => {
  it.each([
    ['lists in lists', `${'['.repeat(2e6)}${']'.repeat(2e6)}`],
    ['lists that are not closed', '['.repeat(4e6)],
    ['objects in an alert', `[{"labels":{"a":"b"},"x":${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}}]`],
  ])('of %s is 400', async (_what, body) => {
    const lab = await startReceivers();

    for (const path of ['/webhook', '/api/v2/alerts', '/api/v1/alerts']) {
      const answer = await lab.post(path, body);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('nested deeper than 64 levels');
    }
    expect(lab.batches).toEqual([]);
  });

  it('of many alerts with a large group costs none of them, and is not multiplied', async () => {
    const lab = await startReceivers();
    const alerts = Array.from({ length: 1000 }, (_, i) => listed({ labels: { i: `${i}` } }));

    const groupLabels = { text: 'x'.repeat(100_000) };
    const answer = await lab.post('/webhook', webhook({ alerts, groupLabels }));

    expect(answer.status).toBe(200);
    expect(lab.batches[0]?.alerts).toHaveLength(1000);
    const { receiver, externalURL } = webhook();
    expect(lab.batches[0]?.group).toEqual({ receiver, externalURL });
    expect(lab.batches[0]?.bad).toMatchObject([
      { why: expect.stringContaining('URL only'), found: { labels: groupLabels }, entries: 0 },
    ]);
  });

  it('of many alerts from a group with long names has none', async () => {
    const lab = await startReceivers();
    const alerts = Array.from({ length: 1000 }, (_, i) => listed({ labels: { i: `${i}` } }));

    await lab.post('/webhook', webhook({ alerts, externalURL: 'x'.repeat(20_000) }));

    expect(lab.batches[0]?.alerts).toHaveLength(1000);
    expect(lab.batches[0]).not.toHaveProperty('group');
    expect(lab.batches[0]?.bad).toMatchObject([{ why: expect.stringContaining('without it') }]);
  });

  it('of very many invalid alerts does not affect the valid one', async () => {
    const lab = await startReceivers();

    const answer = await lab.post(
      '/api/v1/alerts',
      `[${'1,'.repeat(1e6)}${JSON.stringify(listed())}]`,
    );

    expect(answer.status).toBe(200);
    expect(lab.batches[0]?.alerts).toHaveLength(1);
    expect(lab.batches[0]?.bad).toHaveLength(10_001);
    expect(lab.batches[0]?.bad.at(-1)?.why).toBe('990000 more invalid entries, not stored');
  });

  it.each([
    ['lists', `[${'[],'.repeat(2e6)}[]]`],
    ['numbers', `[${'1,'.repeat(11e6)}1]`],
    ['names', `[{${'"a":1,'.repeat(2e6)}"b":1}]`],
  ])('of very many %s is 413', async (_what, body) => {
    const lab = await startReceivers();

    const answer = await lab.post('/api/v2/alerts', body);

    expect(answer.status).toBe(413);
    expect(answer.text).toContain('send fewer alerts per request');
  });
});
