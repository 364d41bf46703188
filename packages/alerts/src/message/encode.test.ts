import { runs, testSeed } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alertMessage,
  anyMessage,
  flat,
  full,
  heartbeatMessage,
  noticeMessage,
} from '../testing/messages.ts';
import { decode } from './decode.ts';
import { cutText, encode } from './encode.ts';
import type { Message } from './message.ts';

function body(message: Message, as = flat): unknown {
  return JSON.parse(encode(message, as).json);
}

describe('flat', () => {
  it('has the fields of the original: labels, annotations, state, link, location', () => {
    expect(body(alertMessage())).toEqual({
      alertname: 'MachineMissing',
      severity: 'critical',
      machine: 'rpi-001',
      summary: 'rpi-001 is not there',
      __state__: 'active',
      link_to_source: 'http://prometheus:9090/graph?g0.expr=up',
      location: 'rack4',
    });
  });

  it('prefers annotations to labels, and own fields to both', () => {
    const both = alertMessage({
      alert: {
        labels: { alertname: 'A', a: 'label', location: 'label', __state__: 'label' },
        annotations: { a: 'annotation', link_to_source: 'annotation' },
        status: 'resolved',
      },
    });
    const { generatorURL: _, ...alert } = both.alert;

    expect(body({ ...both, alert })).toEqual({
      alertname: 'A',
      a: 'annotation',
      __state__: 'resolved',
      link_to_source: '',
      location: 'rack4',
    });
  });

  it('has own fields with the names of the settings', () => {
    const fields = { state: 'st', link: 'li', location: 'skia_location' };

    expect(body(alertMessage(), { ...flat, fields })).toMatchObject({
      st: 'active',
      li: 'http://prometheus:9090/graph?g0.expr=up',
      skia_location: 'rack4',
    });
  });

  it('has a heartbeat that consumers of the original recognise, of strings only', () => {
    expect(body(heartbeatMessage({ healthy: false, why: 'no alert comes' }))).toEqual({
      __name__: 'HEALTHZ',
      location: 'rack4',
      id: '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f',
      at: '2026-11-20T10:00:15.000Z',
      version: '1.2.3',
      healthy: 'false',
      why: 'no alert comes',
      lastHeard: '2026-11-20T10:00:10.000Z',
      spoolDepth: '3',
      spoolOldestSeconds: '1.5',
      startedAt: '2026-11-20T09:00:00.000Z',
    });
  });

  it('has notices that look like alerts', () => {
    expect(body(noticeMessage({ text: 'late' }))).toEqual({
      alertname: 'AlertDeliveryGap',
      severity: 'warning',
      summary: 'late',
      description: 'late',
      waited: '120',
      from: '2026-11-20T07:00:00.000Z',
      __state__: 'active',
      link_to_source: '',
      location: 'rack4',
    });
  });

  it('has nothing but strings in it, whatever the message', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const values = Object.values(Object(body(message)));

        expect(values.every((value) => typeof value === 'string')).toBe(true);
      }),
      runs(500),
    );
  });
});

describe('full', () => {
  it('is the message, with its location', () => {
    const message = alertMessage({ group: { receiver: 'skolo', commonLabels: { a: 'b' } } });

    expect(body(message, full)).toEqual({ schema: '1', location: 'rack4', ...message });
    expect(body(noticeMessage(), full)).toEqual({
      schema: '1',
      location: 'rack4',
      ...noticeMessage(),
    });
  });

  it('has heartbeats with the field `__name__` of flat', () => {
    expect(body(heartbeatMessage(), full)).toEqual({
      schema: '1',
      __name__: 'HEALTHZ',
      location: 'rack4',
      ...heartbeatMessage(),
    });
  });
});

describe('attributes', () => {
  it('have the fields that subscribers filter by', () => {
    expect(encode(alertMessage({ expired: true }), flat).attributes).toEqual({
      schema: '1',
      kind: 'transition',
      alertname: 'MachineMissing',
      severity: 'critical',
      status: 'firing',
      location: 'rack4',
      fingerprint: '0123456789abcdef',
      id: '00112233445566778899aabbccddeeff',
      at: '2026-11-20T10:00:01.000Z',
      startsAt: '2026-11-20T10:00:00.000Z',
      expired: 'true',
    });
    expect(encode(heartbeatMessage({ healthy: false }), full).attributes).toEqual({
      schema: '1',
      kind: 'heartbeat',
      alertname: 'HEALTHZ',
      status: 'unhealthy',
      location: 'rack4',
      id: '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f',
      at: '2026-11-20T10:00:15.000Z',
    });
    expect(encode(noticeMessage({ notice: 'dead-letters' }), flat).attributes).toMatchObject({
      kind: 'notice',
      alertname: 'AlertDeliveryDeadLetters',
      severity: 'warning',
      status: 'firing',
    });
  });

  it('exclude fields that the alert lacks', () => {
    const { attributes } = encode(alertMessage({ alert: { labels: { a: 'b' } } }), flat);

    expect(attributes).not.toHaveProperty('alertname');
    expect(attributes).not.toHaveProperty('severity');
  });

  it('keeps the limits of Pub/Sub, whatever the labels', () => {
    fc.assert(
      fc.property(
        anyMessage,
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (message, location) => {
          const { attributes } = encode(message, { ...flat, location });

          expect(Object.keys(attributes).length).toBeLessThanOrEqual(100);
          for (const [name, value] of Object.entries(attributes)) {
            expect(Buffer.byteLength(name)).toBeLessThanOrEqual(256);
            expect(Buffer.byteLength(value)).toBeGreaterThan(0);
            expect(Buffer.byteLength(value)).toBeLessThanOrEqual(1024);
            expect(Buffer.from(value).toString('utf8')).toBe(value);
          }
        },
      ),
      runs(500),
    );
  });
});

it.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'abc'],
  ['aé', 2, 'a'],
  ['aé', 3, 'aé'],
  ['€€', 5, '€'],
  ['😀', 3, ''],
  ['a😀', 5, 'a😀'],
  ['a\ud800', 10, 'a\ufffd'],
])('cutText: %j in %i bytes is %j', (text, bytes, expected) => {
  expect(cutText(text, bytes)).toBe(expected);
});

describe('decode(encode(message))', () => {
  it('is the message, in both formats', () => {
    fc.assert(
      fc.property(anyMessage, fc.constantFrom(flat, full), (message, as) => {
        const { json, attributes } = encode(message, as);

        const decoded = decode(Buffer.from(json), attributes);

        expect(decoded).toMatchObject({
          kind: message.kind,
          id: message.id,
          at: message.at,
          location: 'rack4',
        });
        if (message.kind === 'heartbeat') {
          const { healthy, why, version, lastHeard, startedAt, spoolDepth } = message;
          const { spoolOldestSeconds } = message;
          expect(decoded).toMatchObject({ healthy, version, startedAt, spoolDepth });
          expect(decoded).toMatchObject({ why, lastHeard, spoolOldestSeconds });
        } else if (message.kind !== 'notice') {
          const { labels, annotations, status, fingerprint, startsAt } = message.alert;
          expect(decoded).toMatchObject({ status, fingerprint, startsAt });
          const added = as === flat ? Object.values(flat.fields) : [];
          const merged = [...Object.entries(labels), ...Object.entries(annotations)];
          const expected = merged.filter(([name]) => !added.includes(name));
          expect(decoded).toHaveProperty('values', Object.fromEntries(expected));
          expect(decoded).toHaveProperty('expired', message.expired === true);
          expect(decoded).toHaveProperty('link', message.alert.generatorURL);
        }
      }),
      { numRuns: 300, seed: testSeed() },
    );
  });

  it('distinguishes alerts, notices and heartbeats without attributes', () => {
    expect(decode(encode(alertMessage(), flat).json)).toMatchObject({
      kind: 'transition',
      status: 'firing',
      name: 'MachineMissing',
      location: 'rack4',
      link: 'http://prometheus:9090/graph?g0.expr=up',
    });
    expect(decode(encode(noticeMessage({ text: 'late' }), full).json)).toMatchObject({
      kind: 'notice',
      name: 'AlertDeliveryGap',
      severity: 'warning',
      values: { waited: '120', description: 'late' },
    });
    for (const as of [flat, full]) {
      expect(decode(encode(heartbeatMessage({ healthy: false }), as).json)).toMatchObject({
        kind: 'heartbeat',
        healthy: false,
        spoolDepth: 3,
        location: 'rack4',
      });
    }
  });
});

describe('the link to the console', () => {
  const consoleUrl = 'https://rack4.example.com/console';

  it.each([
    [{ alertname: 'MachineGone', machine: 'rpi-001', device: 'phone' }, 'machine/rpi-001'],
    [{ alertname: 'EquipmentMissing', job: 'ping', device: 'switch-1' }, 'rack?card=switch-1'],
    [{ alertname: 'MachinesHaveOneCause', job: 'state', cause: 'Pixel 6' }, 'rack?card=Pixel%206'],
    [{ alertname: 'PowerControllerDown', controller: 'pdu-1' }, 'rack?card=pdu-1'],
    [{ alertname: 'MachinesMissing' }, 'rack?card=MachinesMissing'],
    [{ alertname: 'Odd', machine: '', device: 'a&b#c/\ud800' }, 'rack?card=a%26b%23c%2F%EF%BF%BD'],
    [{}, 'rack?card='],
  ])('of %j opens %s', (labels, page) => {
    const message = alertMessage({ alert: { labels } });
    const link = `${consoleUrl}/#/${page}`;

    expect(body(message, { ...flat, consoleUrl })).toMatchObject({ console: link });
    expect(body(message, { ...full, consoleUrl })).toMatchObject({
      alert: { annotations: { console: link } },
    });
  });

  it('opens the incident whose ID is an annotation', () => {
    const annotations = { incident: '20261120T020005-rpi-1' };
    const alert = { labels: { alertname: 'MachinesHaveOneCause', cause: 'switch-1' }, annotations };
    const link = `${consoleUrl}/#/incident/20261120T020005-rpi-1`;

    expect(body(alertMessage({ alert }), { ...flat, consoleUrl })).toMatchObject({ console: link });
  });

  it('is not in a notice, and does not replace an annotation of the rule', () => {
    const annotations = { console: 'https://wiki.example.com' };
    const own = alertMessage({ alert: { annotations } });

    expect(body(own, { ...flat, consoleUrl })).toMatchObject(annotations);
    expect(body(noticeMessage(), { ...flat, consoleUrl })).not.toHaveProperty('console');
  });
});

describe('decode', () => {
  it('understands the original', () => {
    const alert = { alertname: 'A', __state__: 'resolved', skia_location: 'rack2', a: 'b' };

    expect(decode(JSON.stringify({ ...alert, link_to_source: 'http://x' }))).toMatchObject({
      kind: 'transition',
      status: 'resolved',
      location: 'rack2',
      link: 'http://x',
      values: { alertname: 'A', a: 'b' },
    });
    expect(decode('{"__name__":"HEALTHZ","skia_location":"rack2"}')).toMatchObject({
      kind: 'heartbeat',
      healthy: true,
      location: 'rack2',
    });
  });

  it('accepts other field names', () => {
    const fields = { state: 's', link: 'l', location: 'where' };
    const { json } = encode(alertMessage({ alert: { status: 'resolved' } }), { ...flat, fields });

    expect(decode(json, {}, fields)).toMatchObject({ status: 'resolved', location: 'rack4' });
  });

  it.each(['', '[]', 'null', '"text"', '{', '\u0000'])(
    'reports %j as an unknown message',
    (data) => {
      expect(decode(data)).toEqual({ kind: 'unknown', why: 'the data is not a JSON object' });
    },
  );

  it('never throws', () => {
    fc.assert(
      fc.property(fc.json(), fc.dictionary(fc.string(), fc.string()), (json, attributes) => {
        expect(['transition', 'refresh', 'notice', 'heartbeat', 'unknown']).toContain(
          decode(json, attributes).kind,
        );
      }),
      runs(500),
    );
  });
});
