import { runs } from '@skolo/base/testing';
import { templateFormat } from '@skolo/rack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../message/message.ts';
import { alertMessage, anyMessage, heartbeatMessage, noticeMessage } from '../testing/messages.ts';
import { valuesOf } from './http.ts';
import { parseTemplate } from './template.ts';

const odd = alertMessage({
  alert: {
    status: 'resolved',
    labels: { alertname: 'A "quoted" one', 'a.b': 'dotted', "it's": 'single', 'x"y': 'double' },
    annotations: { summary: 'two\nlines \\ and a back slash' },
  },
  group: { receiver: 'skolo' },
  count: 3,
});

function rendered(
  template: string,
  message: Message = odd,
  format: 'json' | 'form' | 'text' | 'url' = templateFormat(template, {}),
): string {
  return parseTemplate(template, format).render(valuesOf(message, 'rack4'));
}

describe('a JSON template', () => {
  it.each([
    ['{"a":"{{labels.alertname}} is {{status}}"}', { a: 'A "quoted" one is resolved' }],
    ['{"a":"{{ annotations.summary }}"}', { a: 'two\nlines \\ and a back slash' }],
    ['{"a":{{annotations.summary}}}', { a: 'two\nlines \\ and a back slash' }],
    ['{"a":{{count}},"b":"{{count}}"}', { a: 3, b: '3' }],
    ['{"a":{{missing}},"b":"{{missing.too}}"}', { a: null, b: '' }],
    ['{"a":"\\"{{location}}\\"","b":{{location}}}', { a: '"rack4"', b: 'rack4' }],
    ['{"a":"{{group.receiver}}","b":{{group}}}', { a: 'skolo', b: { receiver: 'skolo' } }],
    ['["{{action}}","{{fingerprint}}"]', ['resolve', '0123456789abcdef']],
    ['{"a":"{{labels.__proto__}}{{labels.constructor}}"}', { a: '' }],
    ['{"a":"{{group}}"}', { a: '{"receiver":"skolo"}' }],
    ['{"a":"{{labels.severity | "warning"}}"}', { a: 'warning' }],
    ['{"a":"{{missing|labels[\'nor this\']|labels["a.b"]|"x"}}"}', { a: 'dotted' }],
    ['{"a":{{missing | \'one | "two"\'}},"b":{{missing | count}}}', { a: 'one | "two"', b: 3 }],
    ['{"a":"{{missing | missing.too}}","b":{{missing | missing.too}}}', { a: '', b: null }],
  ])('%s', (template, expected) => {
    expect(JSON.parse(rendered(template))).toEqual(expected);
  });

  it('names labels with other characters in brackets', () => {
    const template = `{"a":"{{labels["a.b"]}}","b":"{{labels["it's"]}}","c":{{labels["x\\"y"]}}}`;

    expect(rendered(template)).toBe('{"a":"dotted","b":"single","c":"double"}');
  });

  it('stays JSON whatever the message', () => {
    const template =
      '{"a":"x {{labels.alertname}} {{annotations}}","b":{{labels}},"c":{{at}},"d":[{{count}},"{{text}}"]}';
    fc.assert(
      fc.property(anyMessage, (message) => {
        const parsed = JSON.parse(rendered(template, message));

        expect(parsed.c).toBe(message.at);
      }),
      runs(500),
    );
  });
});

describe('a template of text', () => {
  it('gets it as it is', () => {
    expect(rendered('{{labels.alertname}} is {{status}} {{nothing}}!')).toBe(
      'A "quoted" one is resolved !',
    );
    expect(rendered('"{{annotations.summary}}"', odd, 'text')).toBe(
      '"two\nlines \\ and a back slash"',
    );
  });

  it('keeps single braces, and braces in quotes', () => {
    expect(rendered('} { {} }} {{ "{{" }} $x')).toBe('} { {} }} {{ $x');
  });
});

describe('truncate', () => {
  const emoji = '😀';
  const long = (labels: Record<string, string>) => alertMessage({ alert: { labels } });

  it.each([
    ['{{truncate(5, labels.a)}}', { a: '12345' }, '12345'],
    ['{{truncate(5, labels.a)}}', { a: '123456' }, '1234…'],
    ['{{truncate(5, labels.a)}}', { a: emoji.repeat(3) }, `${emoji}${emoji}…`],
    ['{{truncate(4, labels.a)}}', { a: emoji.repeat(3) }, `${emoji}…`],
    ['{{truncate(1, labels.a)}}', { a: emoji }, '…'],
    ['{{truncate(5, labels.a)}}', { a: `${' '.repeat(99)}\u200b123456` }, '1234…'],
    ['{{truncate(9, labels.b | labels.a | "x")}}', { b: ' \n', a: '\u200b' }, 'x'],
    ['{{truncate(3, truncate(9, labels.a))}}', { a: '123456' }, '12…'],
    ['{{ truncate ( 5 , labels.b ) | "x" }}', {}, 'x'],
    ['{{truncate(20, labels)}}', { a: '1', b: '2'.repeat(99) }, `{"a":"1","b":"22222…`],
  ])('%s of %j: %s', (template, labels, expected) => {
    expect(rendered(template, long(labels))).toBe(expected);
    expect(JSON.parse(rendered(`{"x": "${template}"}`, long(labels)))).toEqual({ x: expected });
  });

  it('keeps the first entries of an object, whose names and values count', () => {
    const labels = { a: '1234', bb: '5678', c: '9' };
    const of = (most: number) =>
      JSON.parse(rendered(`[{{truncate(${most}, labels)}}]`, long(labels)));

    expect(of(13)).toEqual([labels]);
    expect(of(10)).toEqual([{ a: '1234', bb: '56…' }]);
    expect(of(7)).toEqual([{ a: '1234' }]);
    expect(of(1)).toEqual([{}]);
    expect(rendered('[{{truncate(9, labels.none)}},{{truncate(9, count)}}]')).toBe('[null,3]');
  });
});

describe('map', () => {
  const template = '{{map(labels.severity, "page" | "critical": "P1", "none": "", labels.other)}}';

  it.each([
    [{ severity: 'page' }, 'P1'],
    [{ severity: ' CRITICAL ' }, 'P1'],
    [{ severity: 'none', other: 'x' }, ''],
    [{ severity: 'pag', other: 'x' }, 'x'],
    [{ other: 'x' }, 'x'],
    [{}, ''],
  ])('%j: %s', (labels, expected) => {
    expect(rendered(template, alertMessage({ alert: { labels } }))).toBe(expected);
  });

  it('has numbers as results, and calls as arguments', () => {
    const nested =
      '[{{map(status, "resolved": 1, map(truncate(1, count), "3": 5, 2))}}, "{{map(count, 3: 7, 8)}}"]';

    expect(rendered(nested)).toBe('[1, "7"]');
    expect(rendered(nested, alertMessage({ count: 3 }))).toBe('[5, "7"]');
  });
});

it('escape escapes the characters that have a meaning in HTML and Slack', () => {
  const message = alertMessage({ alert: { labels: { a: '<!channel> & <b>' } } });

  expect(rendered('{{escape(truncate(12, labels.a))}}', message)).toBe('&lt;!channel&gt; …');
});

describe('a template of a form or URL', () => {
  const message = alertMessage({
    alert: { labels: { a: 'a&b=c d+ü😀\n\ud83d', token: 'x' }, annotations: {} },
  });
  const { a = '' } = message.alert.labels;

  it('encodes values', () => {
    const form = rendered('text={{labels.a}}&x={{labels | "none"}}', message, 'form');

    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      text: a.toWellFormed(),
      x: JSON.stringify(message.alert.labels),
    });
  });

  it('cannot change the path by a value, but by its token', () => {
    const values = { labels: { a: '../x?y#z' }, token: 'T0/B1?a=%3D&b=%zz ü' };
    const url = parseTemplate('https://x/{{labels.a}}/{{token}}', 'url').render(values);

    expect(url).toBe('https://x/..%2Fx%3Fy%23z/T0/B1?a=%3D&b=%25zz%20%C3%BC');
  });
});

it('leaves out of JSON what strict parsers and databases reject', () => {
  const labels = { 'a\ud83d': 'x\u0000\u001b\ud83dy \\ud83d \\u0000 \n', b: '\udc00' };
  const message = alertMessage({ alert: { labels } });

  expect(JSON.parse(rendered('{"all": {{labels}}, "b": "{{labels.b}}"}', message))).toEqual({
    all: { 'a\ufffd': 'x\ufffd\ufffd\ufffdy \\ud83d \\u0000 \n', b: '\ufffd' },
    b: '\ufffd',
  });
});

it('notices and heartbeats look like alerts', () => {
  const template =
    '{{labels.alertname}}|{{labels.severity}}|{{status}}|{{action}}|{{annotations.summary}}';

  expect(rendered(template, noticeMessage({ text: 'late' }))).toBe(
    'AlertDeliveryGap|warning|firing|trigger|late',
  );
  expect(rendered(template, heartbeatMessage())).toBe(
    'HEALTHZ|info|healthy|resolve|rack4 is healthy',
  );
  expect(rendered(template, heartbeatMessage({ healthy: false, why: 'nobody' }))).toBe(
    'HEALTHZ|critical|unhealthy|trigger|nobody',
  );
});
