/** Endpoints of a running daemon: who may come in, and what becomes of them when rack.yaml changes or the daemon stops. */

import { createServer } from 'node:net';
import { listen, sendRequest, sendText } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, vi } from 'vitest';
import { type DaemonOptions, startDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1 }
`;

const loopback = ['127.0.0.0/8'];
const off = '/power/control/off?alias=b';

function settingsFor(
  endpoint: { port: number; host?: string | undefined; allow?: string[] } | undefined,
): string {
  return `    endpoints: ${JSON.stringify(endpoint ? { pdudaemon: { allow: loopback, aliases: ['b'], ...endpoint } } : {})}`;
}

/** By default at a free port, for loopback; with `undefined` without an endpoint. */
async function startWith(
  own: { port?: number; host?: string | undefined; allow?: string[] } | undefined,
  endpoints: DaemonOptions['endpoints'] = {},
) {
  const endpoint = { port: own?.port ?? (await freeTcpPort()), host: '127.0.0.1', ...own };
  const settings = settingsFor(own && endpoint);
  const daemon = await startDaemon({ yaml, settings, endpoints });
  return { ...daemon, port: endpoint.port, told: daemon.boards.get('pdu-1').told };
}

describe('who may come in', () => {
  it('is a client in the list, and no other', async () => {
    const { port, told } = await startWith({ allow: ['127.0.0.8/29'] });

    const inside = await sendRequest(port, off, { from: '127.0.0.9' });
    const outside = await sendRequest(port, '/power/control/on?alias=b', { from: '127.0.0.1' });

    expect(inside.status).toBe(200);
    expect(outside).toMatchObject({
      status: 403,
      text: '127.0.0.1 is not listed in endpoints.pdudaemon.allow in rack.yaml\n',
    });
    expect(told).toEqual(['off 1']);
  });

  it('holds for the older protocol, too', async () => {
    const { port, told } = await startWith({ allow: ['127.0.0.9'] });

    const outside = await sendText(port, 'pdu-1 1 off');

    expect(outside).toMatch(/^nack 127\.0\.0\.1 is not listed in endpoints\.\w+\.allow/);
    expect(told).toEqual([]);
  });

  it('is identified by an IPv4 address, also where the endpoint listens on IPv6', async () => {
    const { port } = await startWith({ host: undefined, allow: ['127.0.0.9/32'] });

    const inside = await sendRequest(port, off, { from: '127.0.0.9' });
    const outside = await sendRequest(port, off, { from: '127.0.0.1' });

    expect([inside.status, outside.status]).toEqual([200, 403]);
  });
});

describe('a request that is not of a client of pdudaemon', () => {
  it('switches nothing: a page that loads it as an image sends only its name', async () => {
    const { port, told } = await startWith({});
    const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

    const answer = await sendRequest(port, off, { headers: { 'user-agent': firefox } });

    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('web browsers') });
    expect(told).toEqual([]);
  });

  it('is not who asks the jumphost by its name', async () => {
    const { port } = await startWith({});
    const headers = { host: `jumphost-rack1.lan:${port}`, 'user-agent': 'python-requests/2.28.1' };

    expect(await sendRequest(port, off, { headers })).toMatchObject({ status: 200 });
  });
});

describe('an edit of rack.yaml', () => {
  it('opens an endpoint, changes its list, moves it and closes it', async () => {
    const [first, second] = [await freeTcpPort(), await freeTcpPort()];
    const { edit } = await startWith(undefined);
    const answersAt = (port: number) => sendRequest(port, '/').then(({ status }) => status);

    await expect(answersAt(first)).rejects.toThrow(/ECONNREFUSED/);
    await edit(yaml, settingsFor({ port: first, host: '127.0.0.1' }));
    await vi.waitFor(async () => expect(await answersAt(first)).toBe(404));
    await edit(yaml, settingsFor({ port: first, host: '127.0.0.1', allow: ['10.0.0.0/8'] }));
    await vi.waitFor(async () => expect(await answersAt(first)).toBe(403));
    await edit(yaml, settingsFor({ port: second, host: '127.0.0.1' }));
    await vi.waitFor(async () => expect(await answersAt(second)).toBe(404));
    await expect(answersAt(first)).rejects.toThrow(/ECONNREFUSED/);
    await edit(yaml, settingsFor(undefined));
    await vi.waitFor(() => expect(answersAt(second)).rejects.toThrow(/ECONNREFUSED/));
  });

  it.each([
    [
      'by HTTP',
      (port: number) => sendRequest(port, `${off}&delay=3`).then(({ text }) => text),
      /^OK/,
    ],
    ['by the older protocol', (port: number) => sendText(port, 'pdu-1 1 off 3'), /^ack\n$/],
  ])('leaves nobody without an answer who waits %s', async (_how, ask, answer) => {
    const [first, second] = [await freeTcpPort(), await freeTcpPort()];
    const { edit } = await startWith({ port: first, host: '127.0.0.1' });

    const waiting = ask(first);
    await sendRequest(first, '/');
    await edit(yaml, settingsFor({ port: second, host: '127.0.0.1' }));
    await vi.waitFor(() => expect(sendRequest(first, '/')).rejects.toThrow(/ECONNREFUSED/));

    expect(await waiting).toMatch(answer);
  });
});

describe('a port that something else has', () => {
  it('is reported, and tried again until it opens', async () => {
    const other = createServer();
    const port = await listen(other);
    const daemon = await startWith({ port, host: '127.0.0.1' }, { retryMs: 20 });

    const taken = await daemon.degraded();
    other.close();
    await vi.waitFor(async () => expect((await sendRequest(port, '/')).status).toBe(404));

    expect(taken).toMatchObject([
      { what: 'endpoint pdudaemon', why: expect.stringMatching(/the port is in use/) },
    ]);
    expect(await daemon.degraded()).toEqual([]);
  });

  it('does not keep the daemon from its work', async () => {
    const { client, degraded } = await startWith({ port: 1, host: '192.0.2.1' });

    const { cycles } = await client.requestCycles({ body: { machines: ['b'], reason: 'dead' } });

    expect(cycles).toHaveLength(1);
    expect(await degraded()).toMatchObject([
      { why: expect.stringMatching(/does not have this address; fix `host`/) },
    ]);
  });
});

describe('a client that waits', () => {
  it('is answered later than any time-out of a connection', async () => {
    const timeouts = {
      headersTimeout: 100,
      requestTimeout: 100,
      keepAliveTimeout: 100,
      connectionsCheckingInterval: 20,
    };
    const { port } = await startWith({}, { timeouts });

    const [held, older] = await Promise.all([
      sendRequest(port, `${off}&delay=1`),
      sendText(port, 'pdu-1 2 off 1'),
    ]);

    expect(held.status).toBe(200);
    expect(older).toBe('ack\n');
  });

  it('may go away: what was begun goes on', async () => {
    const { port, client, finished } = await startWith({});
    const leaving = new AbortController();
    const path = '/power/control/reboot?alias=b&delay=1';

    const asked = sendRequest(port, path, { signal: leaving.signal });
    const id = await vi.waitFor(async () => {
      const { cycles } = await client.cycles({ query: {} });
      expect(cycles).toMatchObject([{ step: 'off' }]);
      return cycles[0]?.id ?? '';
    });
    leaving.abort();

    await expect(asked).rejects.toThrow();
    expect(await finished(id)).toMatchObject({ outcome: 'on' });
  });

  it.each([
    [
      'by HTTP',
      (port: number) => sendRequest(port, '/power/control/reboot?alias=b&delay=60'),
      {
        status: 500,
        text: 'the daemon is stopping, and may not have completed the request; check the outlet, and try again after the restart\n',
      },
    ],
    [
      'by the older protocol',
      (port: number) => sendText(port, 'pdu-1 1 reboot 60'),
      'nack the daemon is stopping, and may not have completed the request; check the outlet, and try again after the restart\n',
    ],
  ])('%s is told when the daemon stops', async (_how, ask, answer) => {
    const { port, client, stop } = await startWith({});

    const waiting = ask(port);
    await vi.waitFor(async () => {
      expect(await client.cycles({ query: {} })).toMatchObject({ cycles: [{ step: 'off' }] });
    });
    await stop();

    expect(await waiting).toEqual(
      typeof answer === 'string' ? answer : expect.objectContaining(answer),
    );
  });

  it('asks for one thing on a connection', async () => {
    const { port, told } = await startWith({});
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;

    const text = await sendText(port, get(off) + get('/power/control/on?alias=b'));

    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(1);
    expect(text).toMatch(/connection: close/);
    expect(told).toEqual(['off 1']);
  });
});
