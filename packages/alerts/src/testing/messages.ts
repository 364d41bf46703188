/** Messages for tests: plain ones to modify, and arbitrary ones. */
import { anyCharacter } from '@skolo/base/durable/any-character';
import fc from 'fast-check';
import type { EncodeAs } from '../message/encode.ts';
import type { AlertMessage, HeartbeatMessage, Message, NoticeMessage } from '../message/message.ts';

export const flat: EncodeAs = {
  format: 'flat',
  fields: { state: '__state__', link: 'link_to_source', location: 'location' },
  location: 'rack4',
};
export const full: EncodeAs = { ...flat, format: 'full' };

type Changes = Partial<Omit<AlertMessage, 'alert'>> & { alert?: Partial<AlertMessage['alert']> };

export function alertMessage({ alert, ...changes }: Changes = {}): AlertMessage {
  return {
    kind: 'transition',
    id: '00112233445566778899aabbccddeeff',
    at: '2026-11-20T10:00:01.000Z',
    alert: {
      fingerprint: '0123456789abcdef',
      status: 'firing',
      labels: { alertname: 'MachineMissing', severity: 'critical', machine: 'rpi-001' },
      annotations: { summary: 'rpi-001 is not there' },
      startsAt: '2026-11-20T10:00:00.000Z',
      generatorURL: 'http://prometheus:9090/graph?g0.expr=up',
      ...alert,
    },
    endpoint: 'v2',
    first: '2026-11-20T10:00:01.000Z',
    last: '2026-11-20T10:00:01.000Z',
    count: 1,
    ...changes,
  };
}

/** @param n makes it a different alert with a different id */
export function numberedAlert(n: number, annotations: Record<string, string> = {}): AlertMessage {
  const hex = n.toString(16);
  return alertMessage({
    id: hex.padStart(32, '0'),
    alert: {
      fingerprint: hex.padStart(16, '0'),
      labels: { alertname: 'Test', severity: 'info', n: String(n) },
      annotations,
    },
  });
}

export function noticeMessage(changes: Partial<NoticeMessage> = {}): NoticeMessage {
  return {
    kind: 'notice',
    id: 'ffeeddccbbaa99887766554433221100',
    at: '2026-11-20T10:00:02.000Z',
    notice: 'gap',
    text: 'Nothing could be sent for 3 hours; 120 messages that waited have arrived before this.',
    facts: { waited: 120, from: '2026-11-20T07:00:00.000Z' },
    ...changes,
  };
}

export function heartbeatMessage(changes: Partial<HeartbeatMessage> = {}): HeartbeatMessage {
  return {
    kind: 'heartbeat',
    id: '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f',
    at: '2026-11-20T10:00:15.000Z',
    version: '1.2.3',
    healthy: true,
    lastHeard: '2026-11-20T10:00:10.000Z',
    spoolDepth: 3,
    spoolOldestSeconds: 1.5,
    startedAt: '2026-11-20T09:00:00.000Z',
    ...changes,
  };
}

/** Labels are any UTF-8; names that are special elsewhere are not special here. */
const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.string({ unit: anyCharacter, minLength: 1, maxLength: 5 }),
  fc.constantFrom('__proto__', 'constructor', 'alertname', 'kind', 'facts', 'alert', 'a.b', '"'),
);
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: anyCharacter, maxLength: 5 }),
  fc.string({ unit: 'grapheme', minLength: 500, maxLength: 1100 }),
);
const texts = fc.dictionary(name, value, { maxKeys: 6 });
const time = fc
  .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const hex = (digits: number) =>
  fc.string({
    unit: fc.constantFrom(...'0123456789abcdef'),
    minLength: digits,
    maxLength: digits,
  });

export const anyAlert: fc.Arbitrary<AlertMessage> = fc.record(
  {
    kind: fc.constantFrom('transition', 'refresh'),
    id: hex(32),
    at: time,
    alert: fc.record(
      {
        fingerprint: hex(16),
        status: fc.constantFrom('firing', 'resolved'),
        labels: texts,
        annotations: texts,
        startsAt: time,
        endsAt: time,
        generatorURL: fc.webUrl(),
      },
      { requiredKeys: ['fingerprint', 'status', 'labels', 'annotations', 'startsAt'] },
    ),
    group: fc.record({ receiver: value, commonLabels: texts }),
    endpoint: fc.constantFrom('webhook', 'v1', 'v2'),
    first: time,
    last: time,
    count: fc.nat(),
    expired: fc.constant(true),
  },
  { requiredKeys: ['kind', 'id', 'at', 'alert', 'endpoint', 'first', 'last', 'count'] },
);

const anyNotice: fc.Arbitrary<NoticeMessage> = fc.record({
  kind: fc.constant('notice'),
  id: hex(32),
  at: time,
  notice: fc.constantFrom('gap', 'truncated', 'dead-letters', 'damaged', 'dropped'),
  text: value,
  facts: fc.dictionary(name, fc.oneof(value, fc.integer()), { maxKeys: 4 }),
});

const anyHeartbeat: fc.Arbitrary<HeartbeatMessage> = fc.record(
  {
    kind: fc.constant('heartbeat'),
    id: hex(32),
    at: time,
    version: fc.constantFrom('1.2.3', '0.1.0-dev+abc'),
    healthy: fc.boolean(),
    why: fc.string({ unit: 'grapheme', minLength: 1 }),
    lastHeard: time,
    spoolDepth: fc.nat(),
    spoolOldestSeconds: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }),
    startedAt: time,
  },
  {
    requiredKeys: [
      'kind',
      'id',
      'at',
      'version',
      'healthy',
      'spoolDepth',
      'spoolOldestSeconds',
      'startedAt',
    ],
  },
);

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  { arbitrary: anyAlert, weight: 3 },
  anyNotice,
  anyHeartbeat,
);
