import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../message/message.ts';
import { alertMessage, anyMessage, heartbeatMessage, noticeMessage } from '../testing/messages.ts';
import { parseTemplate } from './template.ts';
import { valuesOf } from './values.ts';

const odd = alertMessage({
  alert: {
    status: 'resolved',
    labels: { alertname: 'A "quoted" one', 'a.b': 'dotted', "it's": 'single', 'x"y': 'double' },
    annotations: { summary: 'two\nlines \\ and a back slash' },
  },
  group: { receiver: 'skolo' },
  count: 3,
});

function rendered(template: string, message: Message = odd, isJson?: boolean): string {
  return parseTemplate(template, isJson).render(valuesOf(message, 'rack4'));
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
    const template = `{"a":"{{labels["a.b"]}}","b":"{{labels['it\\'s']}}","c":{{labels["x\\"y"]}}}`;

    expect(rendered(template)).toBe(`{"a":"dotted","b":"{{labels['it\\'s']}}","c":"double"}`);
    expect(rendered(`{"a":"{{labels["it's"]}}"}`)).toBe('{"a":"single"}');
  });

  it('stays JSON whatever the message', () => {
    const template =
      '{"a":"x {{labels.alertname}} {{annotations}}","b":{{labels}},"c":{{at}},"d":[{{count}},"{{text}}"]}';
    fc.assert(
      fc.property(anyMessage, (message) => {
        const parsed = JSON.parse(rendered(template, message));

        expect(parsed.c).toBe(message.at);
      }),
    );
  });
});

describe('a template of text', () => {
  it('gets it as it is', () => {
    expect(rendered('{{labels.alertname}} is {{status}} {{nothing}}!')).toBe(
      'A "quoted" one is resolved !',
    );
    expect(rendered('"{{annotations.summary}}"', odd, false)).toBe(
      '"two\nlines \\ and a back slash"',
    );
  });

  it('keeps text without a placeholder', () => {
    const text = 'a {{ b c }} {{}} {{"x"}} {{.a}} {{a..b}} {{a[1]}} } {';

    expect(rendered(text)).toBe(text);
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
