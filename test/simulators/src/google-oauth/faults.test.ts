import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FaultKind } from './faults.ts';
import { assertion, cloudPlatform, email, postAssertion, scope, startWithKey } from './testing.ts';

async function startFaulty(kind: FaultKind, times = 1) {
  const started = await startWithKey();
  const fault = started.google.misbehave(kind, { times });
  const ask = (signal?: AbortSignal) =>
    fetch(started.google.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: assertion(started.key),
      }),
      ...(signal && { signal }),
    });
  return { ...started, fault, ask };
}

describe('misbehaviour', () => {
  it.each([
    ['status-500', 500, 'application/json'],
    ['unavailable-html', 503, 'text/html'],
    ['too-many-requests', 429, 'application/json'],
  ] as const)('%s, then all is well again', async (kind, status, type) => {
    const { google, ask } = await startFaulty(kind);

    const bad = await ask();
    const good = await ask();

    expect(bad.status).toBe(status);
    expect(bad.headers.get('content-type')).toContain(type);
    expect(good.status).toBe(200);
    expect(google.calls).toMatchObject([
      { fault: kind, status, account: email, scopes: [scope] },
      { status: 200 },
    ]);
    expect(google.issued).toHaveLength(1);
    await bad.text();
    await good.text();
  });

  it('too-many-requests says when to come back', async () => {
    const { ask } = await startFaulty('too-many-requests');

    const response = await ask();

    expect(response.headers.get('retry-after')).toBe('30');
    await response.text();
  });

  it.each(['garbage', 'empty', 'truncated'] as const)('%s is no JSON', async (kind) => {
    const { ask } = await startFaulty(kind);

    const response = await ask();

    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow();
  });

  it.each(['reset', 'not-http'] as const)('%s breaks the connection', async (kind) => {
    const { ask, google } = await startFaulty(kind);

    await expect(ask()).rejects.toThrow('fetch failed');
    expect(google.calls).toMatchObject([{ fault: kind, account: email }]);
  });

  it.each([
    ['no-token', { expires_in: 3599, token_type: 'Bearer' }],
    ['empty-token', { access_token: '', expires_in: 3599, token_type: 'Bearer' }],
    ['expiry-missing', { access_token: expect.any(String), token_type: 'Bearer' }],
    [
      'expiry-string',
      { access_token: expect.any(String), expires_in: 'soon', token_type: 'Bearer' },
    ],
    [
      'expiry-negative',
      { access_token: expect.any(String), expires_in: -3599, token_type: 'Bearer' },
    ],
    ['expiry-zero', { access_token: expect.any(String), expires_in: 0, token_type: 'Bearer' }],
  ] as const)('%s in the answer', async (kind, body) => {
    const { ask } = await startFaulty(kind);

    const response = await ask();

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(body);
  });

  it.each([
    ['no-token', {}],
    ['expiry-missing', {}],
    ['expiry-string', { expireTime: 'soon' }],
    ['expiry-negative', { expireTime: '1969-12-31T23:00:00Z' }],
  ] as const)('%s in the answer of IAM credentials', async (kind, expected) => {
    const { google, key } = await startWithKey();
    google.allowImpersonation(email, email);
    const { body } = await postAssertion(google.tokenUrl, assertion(key, { scope: cloudPlatform }));
    google.misbehave(kind, { times: 1 });

    const response = await fetch(google.impersonationUrl(email), {
      method: 'POST',
      headers: { authorization: `Bearer ${body.access_token}` },
      body: JSON.stringify({ scope: [scope] }),
    });

    const answer = (await response.json()) as object;
    expect(answer).toMatchObject(expected);
    expect('accessToken' in answer).toBe(kind !== 'no-token');
    expect('expireTime' in answer).toBe(kind !== 'expiry-missing');
  });

  it('drip sends everything, one byte at a time', async () => {
    const { google, ask } = await startFaulty('drip');

    const response = await ask();
    const body = (await response.json()) as { access_token: string };

    expect(google.isValid(body.access_token)).toBe(true);
  });

  it('huge goes on for 64 MiB, or until the client has enough', async () => {
    const { google, ask } = await startFaulty('huge', 2);

    const whole = await ask();
    let bytes = 0;
    for await (const chunk of whole.body ?? []) bytes += chunk.length;
    const cut = await ask();
    await cut.body?.cancel();

    expect(bytes).toBeGreaterThan(64 * 1024 * 1024);
    expect(google.issued).toEqual([]);
  });

  it('hang never answers, and notices who hung up', async () => {
    const { google, fault, ask } = await startFaulty('hang');
    const hangUp = new AbortController();
    const asked = ask(hangUp.signal);
    await fault.arrived();
    expect(google.calls[0]?.status).toBeUndefined();

    hangUp.abort();

    await expect(asked).rejects.toThrow('aborted');
    await fault.hungUp();
    expect(google.calls).toMatchObject([{ fault: 'hang', hungUp: true }]);
  });

  it('slow answers when it is released, with a token issued then', async () => {
    let now = Date.now();
    const { google, key } = await startWithKey({ clock: { now: () => now } });
    const fault = google.misbehave('slow');
    const asked = postAssertion(google.tokenUrl, assertion(key));
    await fault.arrived();
    expect(google.issued).toEqual([]);
    now += 60_000;

    fault.release();

    expect((await asked).status).toBe(200);
    expect(google.issued[0]?.issuedAt).toEqual(new Date(now));
  });

  it('lasts until told otherwise, and lets go of what it held', async () => {
    const { google, key } = await startWithKey();
    google.misbehave('status-500');
    const statuses = [];
    for (let i = 0; i < 3; i++) {
      const response = await fetch(google.tokenUrl, { method: 'POST' });
      statuses.push(response.status);
      await response.text();
    }
    google.behave();
    const slow = google.misbehave('slow');
    const asked = postAssertion(google.tokenUrl, assertion(key));
    await slow.arrived();
    slow.stop();

    expect(statuses).toEqual([500, 500, 500]);
    expect((await asked).status).toBe(200);
    expect((await postAssertion(google.tokenUrl, assertion(key))).status).toBe(200);
  });

  it('comes in the order that was asked for', async () => {
    const { google, ask } = await startFaulty('status-500');
    google.misbehave('unavailable-html', { times: 1 });

    const statuses = [];
    for (let i = 0; i < 3; i++) {
      const response = await ask();
      statuses.push(response.status);
      await response.text();
    }

    expect(statuses).toEqual([500, 503, 200]);
  });

  it('hits the endpoints that it was asked for', async () => {
    const { google, key } = await startWithKey();
    google.misbehave('status-500', { endpoints: ['certs'] });

    const token = await postAssertion(google.tokenUrl, assertion(key));
    const certs = await fetch(google.certsUrl);

    expect(token.status).toBe(200);
    expect(certs.status).toBe(500);
    await certs.text();
  });
});

describe('books', () => {
  it('tell when calls have arrived and how many were open at once', async () => {
    const { google, fault, ask } = await startFaulty('slow', 3);
    const asked = [ask(), ask(), ask()];

    await google.callsSeen(3, 'token');
    await fault.arrived(3);
    fault.release();
    for (const answer of await Promise.all(asked)) await answer.text();
    await (await fetch(google.certsUrl)).text();

    expect(google.mostAtOnce).toBe(3);
    expect(google.calls).toHaveLength(4);
  });

  it('leave out what never was a whole request', async () => {
    const { google } = await startWithKey();
    const socket = connect(Number(new URL(google.url).port), '127.0.0.1');
    await once(socket, 'connect');

    socket.write('POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ngrant');
    socket.destroy();
    await once(socket, 'close');
    await (await fetch(google.certsUrl)).text();

    expect(google.calls.map(({ endpoint }) => endpoint)).toEqual(['certs']);
  });
});
