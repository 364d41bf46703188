import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { Secret, SecretError } from '@skolo/base/secrets';
import { collectGarbage, listen, serveExampleTest, startProxy } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Message } from '../message/message.ts';
import type { Sink } from '../sink.ts';
import {
  alertMessage,
  flat,
  heartbeatMessage,
  noticeMessage,
  numberedAlert,
} from '../testing/messages.ts';
import { sinkErrorOf } from '../testing/sink-error.ts';
import { createHttpSink, type HttpSinkOptions } from './http.ts';

interface Request {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

type Answer = (response: ServerResponse) => void;

async function start(answer: Answer = (response) => response.end('ok')) {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body });
    answer(response);
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/services/T0/s3cret?key=k3y`, port, requests };
}

function sinkFor({ url }: { url: string }, options: Partial<HttpSinkOptions> = {}): Sink {
  return createHttpSink({
    name: 'pagers',
    url,
    method: 'POST',
    headers: {},
    timeoutSeconds: 10,
    encodeAs: flat,
    ...options,
  });
}

async function sendOne(
  sink: Sink,
  message: Message = alertMessage(),
  signal = new AbortController().signal,
) {
  await sink.send([message], sink.orderingKeyOf(message), signal);
}

it('goes to another path with another body when the alert is resolved', async () => {
  const there = await start();
  const sink = sinkFor(there, {
    url: `http://127.0.0.1:${there.port}/alerts`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'text={{annotations.summary}}&to={{to}}',
    to: '#a&b',
    resolved: { path: '/{{fingerprint}}/close?by={{location}}', body: 'note=over' },
  });

  await sendOne(sink);
  await sendOne(sink, alertMessage({ alert: { status: 'resolved', fingerprint: 'a/b' } }));

  expect(there.requests.map(({ url, body }) => [url, body])).toEqual([
    ['/alerts', 'text=rpi-001%20is%20not%20there&to=%23a%26b'],
    ['/alerts/a%2Fb/close?by=rack4', 'note=over'],
  ]);
});

describe('a token with a place of its own', () => {
  const token = async () => new Secret('T0/B1/s3cret"');

  it('is put into URL, headers and body, and sent nowhere else', async () => {
    const server = await start();
    const url = `http://127.0.0.1:${server.port}/services/{{token}}`;
    const headers = { 'x-key': 'key {{ token }}' };
    const body = '{"routing_key": "{{token}}", "summary": "{{labels.alertname}}"}';
    const sink = sinkFor({ url }, { token, headers, body });
    await sink.send([alertMessage()], 'rack4-0', new AbortController().signal);

    const [request] = server.requests;
    expect(request?.url).toBe('/services/T0/B1/s3cret%22');
    expect(request?.headers).toMatchObject({ 'x-key': 'key T0/B1/s3cret"' });
    expect(request?.headers.authorization).toBeUndefined();
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ routing_key: 'T0/B1/s3cret"' });
  });

  it('is removed from an answer that quotes it', async () => {
    const server = await start((response) => {
      response.statusCode = 404;
      response.end('no /services/T0/B1/s3cret%22 and no T0/B1/s3cret"');
    });
    const sink = sinkFor({ url: `http://127.0.0.1:${server.port}/services/{{token}}` }, { token });
    const sent = sink.send([alertMessage()], 'rack4-0', new AbortController().signal);

    await expect(sent).rejects.toThrow(/404: no <secret> and no <secret>/);
  });
});

describe('a sent request', () => {
  it('is the message, with a key that is the same each time', async () => {
    const there = await start();
    const sink = sinkFor(there, { method: 'PUT', headers: { 'X-Rack': 'rack4' } });

    await sendOne(sink);
    await sendOne(sink);

    expect(there.requests).toHaveLength(2);
    expect(there.requests[1]).toMatchObject({
      method: 'PUT',
      url: '/services/T0/s3cret?key=k3y',
      headers: {
        'content-type': 'application/json',
        'x-rack': 'rack4',
        'idempotency-key': alertMessage().id,
      },
    });
    expect(JSON.parse(there.requests[1]?.body ?? '')).toMatchObject({
      alertname: 'MachineMissing',
      __state__: 'active',
    });
    expect(there.requests[1]?.headers).not.toHaveProperty('authorization');
  });

  it('is made of a template, in JSON or as text', async () => {
    const there = await start();

    await sendOne(sinkFor(there, { body: '{"text": "{{labels.alertname}}: {{status}}"}' }));
    await sendOne(sinkFor(there, { body: '{{labels.alertname}} at {{location}}' }));
    await sendOne(
      sinkFor(there, {
        body: '{"a": "{{annotations.summary}}"}',
        headers: { 'Content-Type': 'application/vnd.api+json' },
      }),
    );

    expect(there.requests.map(({ headers, body }) => [headers['content-type'], body])).toEqual([
      ['application/json', '{"text": "MachineMissing: firing"}'],
      ['text/plain', 'MachineMissing at rack4'],
      ['application/vnd.api+json', '{"a": "rpi-001 is not there"}'],
    ]);
  });

  it('carries the token as it is at the moment', async () => {
    const there = await start();
    const tokens = ['first', 'second'];
    const sink = sinkFor(there, { token: async () => new Secret(tokens.shift() ?? '') });

    await sendOne(sink);
    await sendOne(sink);

    expect(there.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ]);
  });

  it('is one message at a time, those of one alert in order', async () => {
    const there = await start();
    const sink = sinkFor(there);
    const resolved = alertMessage({ id: 'other', alert: { status: 'resolved' } });

    expect(sink.limits.messages).toBe(1);
    expect(sink.orderingKeyOf(resolved)).toBe(sink.orderingKeyOf(alertMessage()));
    expect(sink.orderingKeyOf(numberedAlert(7))).not.toBe(sink.orderingKeyOf(alertMessage()));
    expect(sink.groupOf?.(resolved)).toBe('MachineMissing');
    expect(sink.groupOf?.(noticeMessage())).toBe('AlertDeliveryGap');
    await sendOne(sink, noticeMessage());
    await sink.send([heartbeatMessage()], '', new AbortController().signal);

    expect(there.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([
      noticeMessage().id,
      heartbeatMessage().id,
    ]);
  });
});

describe('a response with a good status', () => {
  const large = `{"text": "${'x'.repeat(500_000)}", "ok": false}`;

  it.each([
    [200, {}, 'accepted', ''],
    [202, {}, 'accepted', 'ok: false'],
    [200, {}, 'accepted', '{"ok": true, "message": {"ok": false}}'],
    [200, {}, 'accepted', String.raw`{"text": "{\"ok\": false}"}`],
    [200, {}, 'accepted', '{"ok": "false"}'],
    [200, {}, 'rejected', large],
    [200, {}, 'rejected', ' { "error" : "x", "ok" : false } '],
    [200, {}, 'quota', '{"ok": false, "error": "ratelimited"}'],
    [200, {}, 'credentials', '{"ok":false,"error":"invalid_auth"}'],
    [200, { quota: 'ok' }, 'quota', '{"ok": false}'],
    [200, { accepted: '^200 sent$' }, 'accepted', ' sent\n'],
    [200, { accepted: '^200 sent$' }, 'unavailable', 'queued'],
    [200, { accepted: '^200 sent$' }, 'rejected', '{"ok": false}'],
    [200, { rejected: '"failed"', quota: '"slow"' }, 'rejected', '{"status": "failed"}'],
    [200, { rejected: '^200 a.failed' }, 'rejected', 'a\nfailed'],
    [200, { rejected: 'failed', quota: 'slow' }, 'quota', 'failed, slow down'],
    [409, { accepted: '^(2|409)' }, 'accepted', 'known'],
    [500, { accepted: '^200' }, 'unavailable', ''],
    [200, { accepted: '^200 (\\w+\\s?)*$' }, 'unavailable', `${'a'.repeat(40)}!`],
    [200, { rejected: '(a+)+$' }, 'unavailable', `${'a'.repeat(40)}!`],
  ] as const)('%i with %j can be %s', async (status, responses, meaning, text) => {
    const there = await start((response) => response.writeHead(status).end(text));
    const sent = sendOne(sinkFor(there, { responses }));

    if (meaning === 'accepted') await sent;
    else expect(await sinkErrorOf(sent)).toMatchObject({ reason: meaning, code: String(status) });
  });
});

describe('a response that is cut off or stalls', () => {
  const cut: Record<string, Answer> = {
    'cut off': (response) => response.socket?.end(),
    stalled: () => undefined,
  };
  const pages = { accepted: '^202 ' };
  it.each([
    [202, pages, '{"status": "succ', 'accepted'],
    [202, pages, '', 'accepted'],
    [200, {}, 'o', 'accepted'],
    [200, { accepted: '^200 ok$' }, 'ok', 'accepted'],
    [200, { accepted: '^200 ok$' }, 'o', 'unavailable'],
    [200, {}, '{"ok": false, "error": "channel_not_f', 'topic'],
    [429, pages, 'slow', 'quota'],
    [400, pages, '{"errors": [', 'rejected'],
    [500, pages, '<html>', 'unavailable'],
  ] as const)('is judged by what was read: %i with %j and %j is %s', async (...row) => {
    const [status, responses, text, meaning] = row;
    for (const [how, end] of Object.entries(cut)) {
      const there = await start((response) => {
        response.writeHead(status, { 'content-length': 1000 });
        response.flushHeaders();
        response.write(text);
        end(response);
      });
      const sent = sendOne(
        sinkFor(there, { responses, timeoutSeconds: how === 'stalled' ? 0.5 : 60 }),
      );

      if (meaning === 'accepted') await sent;
      else expect(await sinkErrorOf(sent), how).toMatchObject({ reason: meaning });
    }
  });
});

describe('a message may have arrived', () => {
  const sendTo = async (answer: Answer, options: Partial<HttpSinkOptions> = {}) =>
    await sinkErrorOf(sendOne(sinkFor(await start(answer), { timeoutSeconds: 60, ...options })));

  it.each<[string, Answer, Partial<HttpSinkOptions>]>([
    ['no response', () => undefined, { timeoutSeconds: 0.3 }],
    ['a connection that is closed', (response) => response.destroy(), {}],
    ['a gateway whose server does not respond', (response) => response.writeHead(504).end(), {}],
    [
      'a good status with an unknown text',
      (response) => response.end('<html>'),
      { responses: { accepted: '^200 ok$' } },
    ],
  ])('after %s', async (_, answer, options) => {
    expect((await sendTo(answer, options)).mayHaveArrived).toBe(true);
  });

  it.each([400, 401, 404, 408, 429, 500, 502, 503])('but not after %i', async (status) => {
    const error = await sendTo((response) => response.writeHead(status).end());
    expect(error.mayHaveArrived).toBe(false);
  });

  it('but not if the response has a meaning in rack.yaml', async () => {
    const error = await sendTo((response) => response.writeHead(504).end('maintenance'), {
      responses: { unavailable: 'maintenance' },
    });
    expect(error.mayHaveArrived).toBe(false);
  });

  it('but not if the request was not sent', async () => {
    const silent = createNetServer((socket) => void socket.resume());
    const port = await listen(silent);
    const ending = new AbortController();
    const unsafe = { token: async () => new Secret('t'), url: 'http://192.0.2.1/' };
    const errors = [
      await sinkErrorOf(sendOne(sinkFor({ url: 'http://127.0.0.1:1/x' }))),
      await sinkErrorOf(sendOne(sinkFor({ url: 'http://nowhere.invalid/x' }))),
      // TLS is not answered.
      await sinkErrorOf(
        sendOne(sinkFor({ url: `https://127.0.0.1:${port}/x` }, { timeoutSeconds: 0.3 })),
      ),
      await sinkErrorOf(sendOne(sinkFor(unsafe, unsafe))),
    ];
    ending.abort();
    errors.push(await sinkErrorOf(sendOne(sinkFor(unsafe), alertMessage(), ending.signal)));

    expect(errors.map(({ mayHaveArrived }) => mayHaveArrived)).toEqual(errors.map(() => false));
  });

  it('after the service was stopped meanwhile', async () => {
    const ending = new AbortController();
    const there = await start(() => ending.abort());
    const error = await sinkErrorOf(sendOne(sinkFor(there), alertMessage(), ending.signal));
    expect(error).toMatchObject({ code: 'ABORTED', mayHaveArrived: true });
  });
});

describe('a failure', () => {
  it.each([
    [400, 'rejected'],
    [401, 'credentials'],
    [403, 'permission'],
    [404, 'topic'],
    [405, 'topic'],
    [408, 'timeout'],
    [409, 'rejected'],
    [410, 'topic'],
    [413, 'rejected'],
    [415, 'rejected'],
    [422, 'rejected'],
    [425, 'quota'],
    [429, 'quota'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ] as const)('%i is reported as %s, without the secrets of the URL', async (status, reason) => {
    const there = await start((response) => {
      response.statusCode = status;
      response.end(`no \u001b[31m t0ken ${'x'.repeat(5000)}`);
    });
    const sink = sinkFor(there, { token: async () => new Secret('t0ken') });

    const error = await sinkErrorOf(sendOne(sink));

    expect(error).toMatchObject({ reason, code: String(status), retryAfterSeconds: undefined });
    expect(error.message).toContain(`pagers (127.0.0.1:${there.port}) responds with ${status}: no`);
    expect(error.message).not.toMatch(/s3cret|k3y|t0ken|\p{Cc}/u);
    expect(error.message.length).toBeLessThan(400);
  });

  it('excludes secrets that the answer quotes', async () => {
    const there = await start((response) => {
      const tokens = `${'x'.repeat(150)} ${'t0ken'.repeat(40)}`;
      response.statusCode = 404;
      response.end(`no t0k, no POST /services/T0/s3cret, ?key=k3y, k3y; ${tokens}`);
    });
    const sink = sinkFor(there, { token: async () => new Secret('t0ken'.repeat(40)) });

    const { message } = await sinkErrorOf(sendOne(sink));

    expect(message).toContain(
      'responds with 404: no t0k, no POST <secret>, ?<secret>, <secret>; xxx',
    );
    expect(message).not.toMatch(/s3cret|k3y|t0ken/);
  });

  it.each([
    ['7', {}, 7],
    ['1.5', {}, 1.5],
    ['300, 300', {}, 300],
    ['120 seconds', {}, 120],
    // The receiver's clock is wrong by years, as ours may be.
    ['Fri, 31 Dec 1999 23:59:59 GMT', { date: 'Fri, 31 Dec 1999 23:59:29 GMT' }, 30],
    [new Date(Date.now() + 3_600_000).toUTCString(), { date: '' }, 3600],
    ['soon', {}, undefined],
    ['-5', {}, undefined],
    ['Fri, 31 Dec 1999 23:59:59 GMT', {}, undefined],
  ])('has the time of the next attempt: %j with %j', async (text, headers, seconds) => {
    const there = await start((response) => {
      response.writeHead(429, { 'retry-after': text, ...headers });
      response.end();
    });

    const { retryAfterSeconds } = await sinkErrorOf(sendOne(sinkFor(there)));

    if (seconds === undefined) expect(retryAfterSeconds).toBeUndefined();
    else expect(Math.abs((retryAfterSeconds ?? 0) - seconds)).toBeLessThan(60);
  });

  it('keeps heartbeats away for the time that the receiver requests, but no message', async () => {
    const there = await start((response) => {
      response.writeHead(429, { 'retry-after': '60' });
      response.end();
    });
    const sink = sinkFor(there);
    const signal = new AbortController().signal;

    await sinkErrorOf(sendOne(sink));
    const error = await sinkErrorOf(sink.send([heartbeatMessage()], '', signal));
    await sinkErrorOf(sendOne(sink));

    expect(error).toMatchObject({ reason: 'quota', code: '429' });
    expect(there.requests).toHaveLength(2);
  });

  it('is a redirect: neither message nor token go elsewhere', async () => {
    const elsewhere = await start();
    const there = await start((response) => {
      response.writeHead(307, { location: elsewhere.url });
      response.end();
    });

    const error = await sinkErrorOf(
      sendOne(sinkFor(there, { token: async () => new Secret('t') })),
    );

    expect(error).toMatchObject({ reason: 'topic', code: '307' });
    expect(error.message).not.toContain('s3cret');
    expect(elsewhere.requests).toEqual([]);
  });

  it('is a server that is unreachable or silent', async () => {
    const there = await start((response) => response.destroy());
    const silent = await start(() => undefined);

    expect(await sinkErrorOf(sendOne(sinkFor(there)))).toMatchObject({ reason: 'unavailable' });
    expect(await sinkErrorOf(sendOne(sinkFor({ url: 'http://127.0.0.1:1/x' })))).toMatchObject({
      reason: 'unavailable',
    });
    expect(await sinkErrorOf(sendOne(sinkFor(silent, { timeoutSeconds: 0.1 })))).toMatchObject({
      reason: 'timeout',
      code: 'TIMEOUT',
    });
  });

  it('is an answer that never ends', async () => {
    const there = await start((response) => {
      response.writeHead(500);
      response.write('x');
    });

    const sent = sinkErrorOf(sendOne(sinkFor(there, { timeoutSeconds: 2 })));
    let isOver = false;
    const over = sent.finally(() => {
      isOver = true;
    });
    // The headers have arrived long before, and nobody but the request holds its signal.
    while (!isOver) await collectGarbage();

    expect(await over).toMatchObject({ reason: 'unavailable', code: '500' });
  });

  it('ends at once when aborted', async () => {
    const ending = new AbortController();
    const there = await start(() => ending.abort());
    const sink = sinkFor(there);

    const error = await sinkErrorOf(sendOne(sink, alertMessage(), ending.signal));
    const again = await sinkErrorOf(sendOne(sink, alertMessage(), ending.signal));

    expect([error, again]).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }]);
    expect(there.requests).toHaveLength(1);
  });

  it('is a token that cannot be had, or would travel in the clear', async () => {
    const there = await start();
    const missing = async () => {
      throw new SecretError('SECRET_MISSING', '/etc/token', 'not there', 'put it there');
    };
    const open = sinkFor({ url: 'http://192.0.2.1/x' }, { token: async () => new Secret('t') });

    const error = await sinkErrorOf(sendOne(sinkFor(there, { token: missing })));

    expect(error).toMatchObject({ reason: 'credentials', code: 'SECRET_MISSING' });
    expect(error.message).toBe('pagers: token: /etc/token: not there; put it there');
    expect(await sinkErrorOf(sendOne(open))).toMatchObject({
      reason: 'credentials',
      code: 'UNSAFE_URL',
    });
    expect(there.requests).toEqual([]);
  });
});

it('sends through the proxy of the environment, and names one that fails or hangs', async () => {
  const port = await serveExampleTest((_, response) => response.end('ok'));
  const url = 'https://hooks.example.test/services/T0/s3cret';
  let answer: string | undefined;
  const proxy = await startProxy(() => port);
  const broken = await startProxy(
    () => 0,
    (socket) => answer && socket.end(answer),
  );
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const name of ['HTTPS_PROXY', 'NO_PROXY', 'no_proxy']) vi.stubEnv(name, '');

  vi.stubEnv('https_proxy', `http://ann:passw0rd@${proxy.host}`);
  await sendOne(sinkFor({ url }));
  vi.stubEnv('https_proxy', `http://ann:passw0rd@${broken.host}`);
  const hangs = await sinkErrorOf(sendOne(sinkFor({ url }, { timeoutSeconds: 0.3 })));
  answer = 'HTTP/1.1 407 No\r\n\r\n';
  const rejects = await sinkErrorOf(sendOne(sinkFor({ url })));

  expect(proxy.connects).toEqual(['CONNECT hooks.example.test:443']);
  expect(hangs).toMatchObject({
    reason: 'timeout',
    message: `pagers (hooks.example.test) (through the proxy ${broken.host}): no response within 0.3 s`,
  });
  expect(rejects).toMatchObject({
    reason: 'unavailable',
    message: `pagers (hooks.example.test) cannot be reached: the proxy ${broken.host}: does not connect to hooks.example.test:443: 407 Proxy Authentication Required; check the user and password in the variable`,
  });
});

it('links to the console, if its address is known', async () => {
  const there = await start();
  const sink = sinkFor(there, {
    body: '{{annotations.console | generatorURL}}',
    encodeAs: { ...flat, consoleUrl: 'https://rack4.example.com' },
  });

  await sendOne(sink);

  expect(there.requests[0]?.body).toBe('https://rack4.example.com/#/machine/rpi-001');
});
