import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FaultKind } from './faults.ts';
import { assertion, postAssertion, startWithKey } from './testing.ts';

async function startFaulty(kind: FaultKind) {
  const { google, key } = await startWithKey();
  google.misbehave(kind, { times: 1 });
  const ask = () =>
    fetch(google.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: assertion(key),
      }),
    });
  return { google, ask };
}

describe('misbehaviour', () => {
  it('too-many-requests says when to come back', async () => {
    const { ask } = await startFaulty('too-many-requests');

    const response = await ask();

    expect(response.headers.get('retry-after')).toBe('30');
    await response.text();
  });

  it('drip sends everything, one byte at a time', async () => {
    const { google, ask } = await startFaulty('drip');

    const response = await ask();
    const body = (await response.json()) as { access_token: string };

    expect(google.isValid(body.access_token)).toBe(true);
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
});

describe('books', () => {
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
