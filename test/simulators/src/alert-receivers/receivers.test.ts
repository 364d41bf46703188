/** The receivers of alerts accept what is within their published limits, and respond to the rest as the real ones do. */
import { describe, expect, it } from 'vitest';
import { receiversByName } from './receivers.ts';

const emoji = '😀';
const key = 'e93facc04764012d7bfb002500d5d1a6';
const event = (payload: object, more: object = {}) => ({
  routing_key: key,
  event_action: 'trigger',
  payload: { summary: 'x', source: 'rack4', severity: 'info', ...payload },
  ...more,
});
const card = (text: string) => ({
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: { type: 'AdaptiveCard', version: '1.4', body: [{ type: 'TextBlock', text }] },
    },
  ],
});
const opsgenieKey = { authorization: 'GenieKey eb243592-faa2-4ba2-a551-1afdf565c889' };
const bot = { authorization: 'Bearer xoxb-1' };
const chat = '/v1/spaces/AAA/messages?key=key-1&token=token-1%3D';

function post(name: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return receiversByName[name]?.({ path, headers, body: text }, false);
}

describe('a receiver accepts', () => {
  it.each<[string, string, unknown, Record<string, string>?]>([
    [
      'pagerduty',
      '/v2/enqueue',
      event({ summary: emoji.repeat(1024) }, { dedup_key: 'x'.repeat(255) }),
    ],
    ['pagerduty', '/v2/enqueue', { routing_key: key, event_action: 'resolve', dedup_key: 'x' }],
    ['pagerduty', '/v2/enqueue', event({ custom_details: { x: 'x'.repeat(500_000) } })],
    [
      'opsgenie',
      '/v2/alerts',
      { message: emoji.repeat(130), alias: 'x'.repeat(512), details: { x: 'x'.repeat(7999) } },
      opsgenieKey,
    ],
    ['opsgenie', '/v2/alerts/a/close?identifierType=alias', {}, opsgenieKey],
    ['slack', '/services/T0/B0/x', { text: 'x'.repeat(40_000) }],
    ['slack-api', '/api/chat.postMessage', { channel: 'C1', text: 'x'.repeat(40_000) }, bot],
    [
      'slack-api',
      '/api/chat.postMessage',
      'channel=C1&text=x%20y',
      { ...bot, 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['teams', '/workflows/1?sig=x', card('x'.repeat(28_000))],
    ['teams-connector', '/webhookb2/x', card('x'.repeat(28_000))],
    ['discord', '/api/webhooks/1/x', { content: emoji.repeat(2000) }],
    ['ntfy', '/', { topic: 'rack4', message: 'ü'.repeat(2048), priority: 5 }],
    ['telegram', '/bot1:x/sendMessage', { chat_id: -1, text: 'x'.repeat(4096) }],
    [
      'telegram',
      '/bot1:x/sendMessage',
      { chat_id: '1', text: 'a &lt; <b>b</b>', parse_mode: 'HTML' },
    ],
    ['google-chat', chat, { text: 'x'.repeat(31_900) }],
  ])('%s %s', (name, path, body, headers) => {
    expect(post(name, path, body, headers)).toMatchObject({ shown: true });
  });
});

describe('a receiver refuses', () => {
  it.each([
    ['pagerduty', '/v2/enqueue', event({ summary: 'x'.repeat(1025) }), 400, /summary' is too long/],
    ['pagerduty', '/v2/enqueue', event({ summary: ' \n' }), 400, /summary' is missing or blank/],
    ['pagerduty', '/v2/enqueue', event({ severity: 'page' }), 400, /severity' is invalid/],
    ['pagerduty', '/v2/enqueue', event({}, { dedup_key: 'x'.repeat(256) }), 400, /dedup_key/],
    ['pagerduty', '/v2/enqueue', event({}, { routing_key: 'x' }), 400, /routing_key/],
    ['pagerduty', '/v2/enqueue', event({ custom_details: { x: 'x'.repeat(512_000) } }), 413, /./],
    ['opsgenie', '/v2/alerts', { message: 'x'.repeat(131) }, 422, /message: too long/],
    ['opsgenie', '/v2/alerts', { message: 'x', priority: 'page' }, 422, /priority: not allowed/],
    ['opsgenie', '/v2/alerts', { message: 'x', details: { x: 'x'.repeat(8000) } }, 422, /details/],
    ['opsgenie', '/v2/alerts', { message: 'x', details: { x: null } }, 422, /details/],
    ['opsgenie', '/v2/alerts/a/close', {}, 404, /./],
    ['slack', '/services/T0/B0/x', { text: '' }, 400, /no_text/],
    ['slack', '/services/T0/B0/x', '{', 400, /invalid_payload/],
    ['slack', '/services/none', { text: 'x' }, 404, /no_service/],
    ['slack-api', '/api/chat.postMessage', { channel: 'C1', text: 'x' }, 200, /not_authed/],
    ['teams', '/workflows/1?sig=x', card('x'.repeat(29_000)), 202, /^""$/],
    ['teams', '/workflows/1?sig=x', { text: 'x' }, 202, /^""$/],
    ['teams', '/workflows/1', card('x'), 401, /DirectApi/],
    ['teams-connector', '/webhookb2/x', card('x'.repeat(29_000)), 200, /HTTP error 413/],
    ['teams-connector', '/webhookb2/x', card(' '), 200, /HTTP error 400/],
    ['discord', '/api/webhooks/1/x', { content: 'x'.repeat(2001) }, 400, /2000 or fewer/],
    ['discord', '/api/webhooks/1/x', { content: '\n' }, 400, /50006/],
    ['ntfy', '/', { topic: 'rack4', message: 'ü'.repeat(2049) }, 400, /40014/],
    ['ntfy', '/', { topic: 'rack4', message: '"'.repeat(4096) }, 413, /41303/],
    ['ntfy', '/', { topic: 'a/b', message: 'x' }, 400, /40009/],
    ['ntfy', '/', { topic: 'rack4', priority: 6 }, 400, /40007/],
    ['telegram', '/bot1:x/sendMessage', { chat_id: 1, text: 'x'.repeat(4097) }, 400, /too long/],
    ['telegram', '/bot1:x/sendMessage', { chat_id: 1, text: ' ' }, 400, /text is empty/],
    ['telegram', '/bot1:x/sendMessage', { chat_id: '', text: 'x' }, 400, /chat not found/],
    [
      'telegram',
      '/bot1:x/sendMessage',
      { chat_id: 1, text: 'a < b', parse_mode: 'HTML' },
      400,
      /can't parse/,
    ],
    ['google-chat', chat, { text: 'ü'.repeat(16_000) }, 400, /INVALID_ARGUMENT/],
    ['google-chat', chat, { text: '' }, 400, /INVALID_ARGUMENT/],
  ] as const)('%s %s (%#)', (name, path, body, status, text) => {
    const answer = post(name, path, body, name === 'opsgenie' ? opsgenieKey : {});

    expect(answer).toMatchObject({ status, shown: false });
    expect(JSON.stringify(answer?.body)).toMatch(text);
  });
});
