/** Each template's receiver, with its published limits, accepts any message. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir, untilTestEnds } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { type AlertReceiver, startAlertReceiver } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../message/message.ts';
import type { Sink } from '../sink.ts';
import { alertMessage, anyMessage, heartbeatMessage, noticeMessage } from '../testing/messages.ts';
import { sinkErrorOf } from '../testing/sink-error.ts';
import { createSinks } from './index.ts';

/** The receiver, the template, and what its user adds. */
const sinks: [string, { token?: string; settings?: string; path?: string }][] = [
  ['pagerduty', { token: 'e93facc04764012d7bfb002500d5d1a6' }],
  ['opsgenie', { token: 'eb243592-faa2-4ba2-a551-1afdf565c889' }],
  ['slack', { token: 'T0/B0/s3cret' }],
  ['slack-api', { token: 'xoxb-1', settings: 'to: C123ABC456' }],
  ['teams', { token: 's1g', path: '/workflows/1/invoke?api-version=1&sp=%2Frun&sig={{token}}' }],
  ['teams-connector', { path: '/webhookb2/1/IncomingWebhook/2' }],
  ['discord', { token: '1234/s3cret-_' }],
  ['ntfy', { settings: 'to: rack4' }],
  ['telegram', { token: '12345:AB-cd_ef', settings: 'to: "-1001234"' }],
  ['google-chat', { token: 'AAA/messages?key=key-1&token=token-1%3D' }],
];

async function sinkFor(
  name: string,
  {
    token,
    settings = '',
    path,
    location = 'rack4',
  }: { token?: string; settings?: string; path?: string; location?: string } = {},
  isStrict = false,
): Promise<{ receiver: AlertReceiver; sink: Sink }> {
  const receiver = untilTestEnds(await startAlertReceiver(name, { isStrict }));
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  const keys = [`template: ${name.replace('-connector', '')}`, settings];
  if (token !== undefined) {
    await writeFile(join(dir, 'token'), token, { mode: 0o600 });
    keys.push('token: token');
  }
  const rackWith = (...more: string[]) => {
    const sink = ['name: it, kind: http', ...keys, ...more].filter(Boolean).join(', ');
    const yaml = `rack: rack4\njumphost: { name: jump, address: 192.168.1.8 }\nservices: { alert-to-pubsub: { location: ${location}, sinks: [{ ${sink} }] } }`;
    return parseRack(yaml, { file });
  };
  const [usual] = path === undefined ? rackWith().services['alert-to-pubsub'].sinks : [];
  const usualPath = usual?.kind === 'http' ? usual.url.replace(/^https:\/\/[^/]+/, '') : '';
  const [sink] = createSinks(rackWith(`url: '${receiver.url}${path ?? usualPath}'`));
  if (sink === undefined) throw new TypeError('no sink');
  return { receiver, sink };
}

async function send(sink: Sink, message: Message) {
  await sink.send([message], sink.orderingKeyOf(message), new AbortController().signal);
}

const halfOfAnEmoji = '\ud83d';
const nasty = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '\n\t', '\u00a0\u2028', '\u200b'.repeat(2000), `${' '.repeat(5000)}x`],
    ...['x'.repeat(1_000_000), '😀'.repeat(3000), 'ü'.repeat(3000), '"\\\n'.repeat(3000)],
    ...[halfOfAnEmoji.repeat(2000), `a${'😀'.repeat(1023)}`, '\u0000\u001b[31m\u0007'.repeat(900)],
    ...['{{token}}', '{{truncate(1, status)}}', '}}"', '<!channel> & <@U1> @everyone', '‮ שלום'],
    ...['{"ok":false}', 'Webhook message delivery failed with error: HTTP error 429'],
  ),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
);
const severities = fc.oneof(fc.constantFrom('none', 'page', 'Critical', 'P1', 'info'), nasty);
const texts = (known: Record<string, fc.Arbitrary<string>>) =>
  fc
    .tuple(fc.record(known, { requiredKeys: [] }), fc.dictionary(nasty, nasty, { maxKeys: 4 }))
    .map(([some, others]) => Object.assign(others, some));
const nastyAlert = fc
  .record({
    labels: texts({ alertname: nasty, severity: severities }),
    annotations: texts({ summary: nasty, description: nasty, message: nasty }),
    status: fc.constantFrom('firing' as const, 'resolved' as const),
    generatorURL: nasty,
  })
  .map((alert) => alertMessage({ alert }));

describe.each(sinks)('the template for %s', (name, user) => {
  it('makes of any message what the receiver accepts and shows', async () => {
    for (const isStrict of [false, true]) {
      const { receiver, sink } = await sinkFor(name, user, isStrict);

      await fc.assert(
        fc.asyncProperty(fc.oneof(nastyAlert, anyMessage), async (message) => {
          await send(sink, message);

          expect(receiver.calls.at(-1)?.answer.shown).toBe(true);
        }),
        runs(60),
      );
    }
  });
});

describe('the template for', () => {
  const named = Object.fromEntries(sinks);
  const alert = {
    labels: { alertname: 'HostHot', severity: 'page', machine: 'rpi-001' },
    annotations: { summary: 'rpi-001 is <hot>', description: 'x'.repeat(1200) },
  };
  const text = `[firing] HostHot (page) at rack4
rpi-001 is <hot>
${'x'.repeat(599)}…

http://prometheus:9090/graph?g0.expr=up`;
  const escaped = text.replace('<hot>', '&lt;hot&gt;');

  it.each([
    [
      'pagerduty',
      {
        routing_key: named.pagerduty?.token,
        event_action: 'trigger',
        dedup_key: 'rack4-0123456789abcdef',
        payload: {
          summary: 'rpi-001 is <hot>',
          source: 'rack4',
          severity: 'critical',
          custom_details: { ...alert, link: 'http://prometheus:9090/graph?g0.expr=up' },
        },
      },
    ],
    [
      'opsgenie',
      {
        message: 'rpi-001 is <hot>',
        alias: 'rack4-0123456789abcdef',
        source: 'rack4',
        description: `${'x'.repeat(1200)}\nhttp://prometheus:9090/graph?g0.expr=up`,
        details: alert.labels,
        priority: 'P1',
      },
    ],
    ['slack', { text: escaped }],
    ['slack-api', { channel: 'C123ABC456', text: escaped }],
    ['discord', { content: text, allowed_mentions: { parse: [] } }],
    [
      'ntfy',
      {
        topic: 'rack4',
        title: '[firing] HostHot at rack4',
        message: `rpi-001 is <hot>\n${'x'.repeat(599)}…\n`,
        click: 'http://prometheus:9090/graph?g0.expr=up',
        tags: ['rotating_light'],
        priority: 5,
      },
    ],
    ['telegram', { chat_id: '-1001234', text, link_preview_options: { is_disabled: true } }],
    ['google-chat', { text }],
  ] as const)('%s sends what people need', async (name, expected) => {
    const { receiver, sink } = await sinkFor(name, named[name]);

    await send(sink, alertMessage({ alert }));

    expect(JSON.parse(receiver.calls[0]?.request.body ?? '')).toEqual(expected);
  });

  it('teams sends a card', async () => {
    const { receiver, sink } = await sinkFor('teams', named.teams);

    await send(sink, alertMessage({ alert }));

    const [call] = receiver.calls;
    expect(JSON.parse(call?.request.body ?? '')).toMatchObject({
      attachments: [{ content: { body: [{ text: text.replaceAll('\n', '\n\n') }] } }],
    });
  });

  it('discord sends the text of a notice once, although it is summary and description', async () => {
    const { receiver, sink } = await sinkFor('discord', named.discord);

    await send(sink, noticeMessage({ text: 'late' }));

    expect(JSON.parse(receiver.calls[0]?.request.body ?? '')).toMatchObject({
      content: '[firing] AlertDeliveryGap (warning) at rack4\nlate\n\n\n',
    });
  });

  it.each([
    ['rack6', 'rack6-0123456789abcdef'],
    // Of an earlier version.
    [undefined, 'berlin-0123456789abcdef'],
  ])('an alert that began in rack %s is opened and resolved under %s', async (rack, key) => {
    const pagerduty = await sinkFor('pagerduty', { ...named.pagerduty, location: 'berlin' });
    const opsgenie = await sinkFor('opsgenie', { ...named.opsgenie, location: 'berlin' });

    for (const status of ['firing', 'resolved'] as const) {
      const message = alertMessage({ alert: { status }, ...(rack !== undefined && { rack }) });
      for (const { sink } of [pagerduty, opsgenie]) await send(sink, message);
    }

    const bodies = pagerduty.receiver.calls.map(({ request }) => JSON.parse(request.body));
    expect(bodies).toMatchObject([
      { event_action: 'trigger', dedup_key: key, payload: { source: 'berlin' } },
      { event_action: 'resolve', dedup_key: key },
    ]);
    const [opened, closed] = opsgenie.receiver.calls.map(({ request }) => request);
    expect(JSON.parse(opened?.body ?? '')).toMatchObject({ alias: key, source: 'berlin' });
    expect(closed?.path).toBe(`/v2/alerts/${key}/close?identifierType=alias`);
  });

  it('opens and resolves the incident of heartbeats under the name of the rack, not under its location', async () => {
    const { sink, receiver } = await sinkFor('pagerduty', {
      ...named.pagerduty,
      location: 'berlin',
    });

    for (const healthy of [false, true]) await send(sink, heartbeatMessage({ healthy }));

    const bodies = receiver.calls.map(({ request }) => JSON.parse(request.body));
    expect(bodies).toMatchObject([
      {
        event_action: 'trigger',
        dedup_key: 'rack4-heartbeat-rack4',
        payload: { source: 'berlin' },
      },
      { event_action: 'resolve', dedup_key: 'rack4-heartbeat-rack4' },
    ]);
  });

  it('resolves once the incident that heartbeats of an earlier version have opened under the location', async () => {
    const { sink, receiver } = await sinkFor('pagerduty', {
      ...named.pagerduty,
      location: 'berlin',
    });

    for (const healthy of [true, true, false, true, true]) {
      await send(sink, heartbeatMessage({ healthy }));
    }

    const bodies = receiver.calls.map(({ request }) => JSON.parse(request.body));
    expect(bodies.map(({ event_action, dedup_key }) => `${event_action} ${dedup_key}`)).toEqual([
      'resolve rack4-heartbeat-rack4',
      'resolve berlin-heartbeat-berlin',
      'resolve rack4-heartbeat-rack4',
      'trigger rack4-heartbeat-rack4',
      'resolve rack4-heartbeat-rack4',
      'resolve rack4-heartbeat-rack4',
    ]);
  });

  it.each([
    ['an incident that is open since its start', 'pagerduty', named.pagerduty, [false, true, true]],
    ['a chat, which has no incidents', 'slack', named.slack, [true, true]],
  ])('sends heartbeats after an upgrade to %s', async (what, name, options, sent) => {
    const { sink, receiver } = await sinkFor(name, { ...options, location: 'berlin' });

    for (const healthy of sent) await send(sink, heartbeatMessage({ healthy }));

    const old = receiver.calls.filter(({ request }) => request.body.includes('heartbeat-berlin'));
    expect(receiver.calls).toHaveLength(sent.length + old.length);
    expect(old).toHaveLength(what.startsWith('a chat') ? 0 : 1);
  });

  it('opsgenie closes a resolved alert by its alias, percent-encoded', async () => {
    const { receiver, sink } = await sinkFor('opsgenie', named.opsgenie);

    await send(sink, alertMessage({ alert: { status: 'resolved', fingerprint: 'a/b ü' } }));

    expect(receiver.calls[0]?.request.path).toBe(
      '/v2/alerts/rack4-a%2Fb%20%C3%BC/close?identifierType=alias',
    );
  });
});

it.each(['slack-api', 'telegram'])(
  '%s: the keys of a response may have any order',
  async (name) => {
    const { receiver, sink } = await sinkFor(name, Object.fromEntries(sinks)[name]);
    const body = { message: { text: '"ok": false' }, ok: true };
    receiver.script({ status: 200, body, shown: true });

    await expect(send(sink, noticeMessage())).resolves.toBeUndefined();
  },
);

describe('a response is about the message, or about the sink', () => {
  const teamsSays = (status: number) =>
    `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${status} with ContextId MS-CV=x`;

  it.each([
    ['pagerduty', 400, { errors: ["'payload.summary' is too long"] }, 'rejected'],
    ['pagerduty', 400, { errors: ["Length of 'routing_key' is incorrect"] }, 'credentials'],
    ['pagerduty', 200, '<html>Sign in to the network</html>', 'unavailable'],
    ['opsgenie', 422, { message: 'Request body is not processable.' }, 'rejected'],
    ['opsgenie', 422, { message: 'Key format is not valid!' }, 'credentials'],
    ['slack', 400, 'no_text', 'rejected'],
    ['slack', 403, 'invalid_token', 'topic'],
    ['slack', 200, '', 'unavailable'],
    ['slack', 200, { ok: false, error: 'ratelimited' }, 'quota'],
    ['slack-api', 200, { ok: false, error: 'msg_too_long' }, 'rejected'],
    ['slack-api', 200, { ok: false, error: 'attachment_payload_limit_exceeded' }, 'rejected'],
    ['slack-api', 200, { ok: false, error: 'ratelimited' }, 'quota'],
    ['slack-api', 200, { ok: false, error: 'invalid_auth' }, 'credentials'],
    ['slack-api', 200, { ok: false, error: 'token_revoked' }, 'credentials'],
    ['slack-api', 200, { ok: false, error: 'missing_scope', needed: 'chat:write' }, 'credentials'],
    ['slack-api', 200, { ok: false, error: 'restricted_action' }, 'permission'],
    ['slack-api', 200, { ok: false, error: 'channel_not_found' }, 'topic'],
    ['slack-api', 200, { ok: false, error: 'fatal_error' }, 'unavailable'],
    ['teams', 400, { error: { code: 'WorkflowTriggerIsNotEnabled' } }, 'topic'],
    ['teams-connector', 200, teamsSays(429), 'quota'],
    ['teams-connector', 200, teamsSays(413), 'rejected'],
    ['teams-connector', 200, teamsSays(400), 'rejected'],
    ['teams-connector', 200, teamsSays(404), 'topic'],
    ['teams-connector', 200, teamsSays(503), 'unavailable'],
    ['discord', 400, { message: 'Cannot send an empty message', code: 50006 }, 'rejected'],
    ['ntfy', 413, { code: 41303, http: 413, error: 'JSON body too large' }, 'rejected'],
    ['ntfy', 400, { code: 40009, error: 'invalid request: topic invalid' }, 'topic'],
    ['telegram', 400, { ok: false, description: 'Bad Request: message is too long' }, 'rejected'],
    ['telegram', 400, { ok: false, description: 'Bad Request: chat not found' }, 'topic'],
    ['telegram', 200, { ok: false, description: 'x' }, 'rejected'],
    ['google-chat', 400, { error: { message: 'API key not valid. Please…' } }, 'credentials'],
  ] as const)('%s %i %j: %s', async (name, status, body, reason) => {
    const { receiver, sink } = await sinkFor(name, Object.fromEntries(sinks)[name]);
    receiver.script({ status, body, shown: false });

    const error = await sinkErrorOf(send(sink, noticeMessage()));

    expect(error).toMatchObject({ reason, code: String(status) });
  });
});
