/** Whatever is posted: no endpoint breaks, and no good alert is lost for what stands beside it. */

import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReceivedAlert } from './batch.ts';
import { readMessage } from './messages.ts';
import { Rejection } from './rejection.ts';
import { type ReceiverLab, startReceivers } from './testing/receiver-lab.ts';

const endpoints = ['webhook', 'v1', 'v2'] as const;
const paths = ['/webhook', '/api/v1/alerts', '/api/v2/alerts'];

const name = fc.oneof(
  fc.string({ unit: anyCharacter, minLength: 1 }),
  fc.constantFrom('__proto__', 'constructor', 'alertname', 'labels', 'length', '0'),
);
const texts = (value: fc.Arbitrary<string>) =>
  fc
    .array(fc.tuple(name, value), { maxLength: 5 })
    .map((pairs): Record<string, string> => Object.fromEntries(pairs));
const filled = fc.string({ unit: anyCharacter, minLength: 1 });
const time = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.getTime());

const good = fc.record({
  labels: fc
    .tuple(texts(fc.string()), name, filled)
    .map(([others, key, value]) => Object.fromEntries([...Object.entries(others), [key, value]])),
  annotations: texts(fc.string()),
  startsAt: time,
  length: fc.nat(),
  status: fc.constantFrom('firing', 'resolved'),
});

/** What looks like an alert and like the rest of a message, with something else here and there. */
const almost = fc.record(
  {
    labels: fc.oneof(texts(fc.string()), fc.jsonValue()),
    annotations: fc.oneof(texts(fc.string()), fc.jsonValue()),
    startsAt: fc.oneof(fc.jsonValue(), fc.constant('2026-11-20T07:30:00Z')),
    endsAt: fc.oneof(fc.jsonValue(), fc.constant('0001-01-01T00:00:00Z')),
    generatorURL: fc.jsonValue(),
    status: fc.oneof(fc.jsonValue(), fc.constant('firing')),
    fingerprint: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const message = fc.oneof(
  fc.jsonValue(),
  fc.array(almost),
  fc.record(
    {
      version: fc.oneof(fc.constant('4'), fc.jsonValue()),
      alerts: fc.oneof(fc.array(almost), fc.jsonValue()),
      truncatedAlerts: fc.jsonValue(),
      groupLabels: fc.jsonValue(),
      groupKey: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);

describe('any JSON', () => {
  it('is a batch, or rejected', () => {
    fc.assert(
      fc.property(message, fc.constantFrom(...endpoints), (value, endpoint) => {
        const text = JSON.stringify(value);
        let batch: ReturnType<typeof readMessage>;
        try {
          batch = readMessage(JSON.parse(text), endpoint, Date.now());
        } catch (error) {
          expect(error).toBeInstanceOf(Rejection);
          return;
        }
        for (const alert of batch.alerts) expectWhole(alert);
        for (const { why, found } of batch.bad) {
          expect(why).toMatch(/^(alert|labels|annotations|startsAt|endsAt|generatorURL|status)/);
          expect(text).toContain(JSON.stringify(found));
        }
        expect(Number.isSafeInteger(batch.truncated) && batch.truncated >= 0).toBe(true);
      }),
      runs(1000),
    );
  });

  it('is answered with 200 or 400 by each endpoint', async () => {
    const lab = await startReceivers();

    await fc.assert(
      fc.asyncProperty(
        message,
        fc.constantFrom(...paths),
        fc.boolean(),
        async (value, path, pack) => {
          const body = JSON.stringify(value);
          const answer = pack
            ? await lab.post(path, gzipSync(body), { 'content-encoding': 'gzip' })
            : await lab.post(path, body);
          expect([200, 400]).toContain(answer.status);
        },
      ),
      runs(100),
    );
    expect(lab.logged()).not.toContain('request failed');
  });
});

function expectWhole({ labels, annotations, startsAt, endsAt }: ReceivedAlert) {
  expect(Object.keys(labels).length).toBeGreaterThan(0);
  expect(Object.values(labels)).not.toContain('');
  for (const text of [...Object.values(labels), ...Object.values(annotations)]) {
    expect(text).toBeTypeOf('string');
  }
  for (const ms of [startsAt, endsAt]) {
    if (ms !== undefined) expect(new Date(ms).toISOString()).toMatch(/^\d{4}-/);
  }
}

it('good alerts are all kept, in their order, whatever stands beside them', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          good.map((alert) => ({ alert })),
          almost.map((other) => ({ other })),
        ),
      ),
      fc.constantFrom(...endpoints),
      (items, endpoint) => {
        const sent = items.map((one) =>
          'alert' in one ? { ...listedAs(one.alert), marker: 'good' } : one.other,
        );
        const value = endpoint === 'webhook' ? { version: '4', alerts: sent } : sent;

        const batch = readMessage(JSON.parse(JSON.stringify(value)), endpoint, Date.now());

        const kept = batch.alerts.filter(({ more }) => more?.marker === 'good');
        const wanted = items.flatMap((one) => ('alert' in one ? [one.alert] : []));
        expect(kept).toHaveLength(wanted.length);
        for (const [index, { labels, annotations, startsAt, length, status }] of wanted.entries()) {
          const nonEmpty = Object.entries(labels).filter(([, text]) => text !== '');
          expect(Object.entries(kept[index]?.labels ?? {}).sort()).toEqual(nonEmpty.sort());
          expect(Object.entries(kept[index]?.annotations ?? {}).sort()).toEqual(
            Object.entries(annotations).sort(),
          );
          expect(kept[index]).toMatchObject({ startsAt, endsAt: startsAt + length });
          expect(kept[index]?.status).toBe(endpoint === 'webhook' ? status : undefined);
        }
        expect(batch.alerts.length + batch.bad.length).toBe(items.length);
      },
    ),
    runs(500),
  );
});

function listedAs({
  labels,
  annotations,
  startsAt,
  length,
  status,
}: {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: number;
  length: number;
  status: string;
}) {
  const [begin, end] = [startsAt, startsAt + length].map((ms) => new Date(ms).toISOString());
  return { labels, annotations, startsAt: begin, endsAt: end, status };
}

/** Not fetch, which would not say what is no header. */
function raw(lab: ReceiverLab, path: string, body: Uint8Array, encoding: string) {
  return new Promise<number>((resolve, reject) => {
    const headers = { 'content-encoding': encoding, 'content-length': body.length };
    request(lab.url + path, { method: 'POST', headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end(body);
  });
}

it('any bytes are answered', async () => {
  const lab = await startReceivers();
  const packed = gzipSync(JSON.stringify([{ labels: { a: 'b'.repeat(300) } }]));
  const spoilt = fc
    .array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(packed);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 500 }), spoilt);

  await fc.assert(
    fc.asyncProperty(
      bytes,
      fc.constantFrom(...paths),
      fc.constantFrom('gzip', 'identity'),
      async (body, path, encoding) => {
        expect([200, 400]).toContain(await raw(lab, path, body, encoding));
      },
    ),
    runs(100),
  );
  expect(lab.logged()).not.toContain('request failed');
});
