import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../connections/listen.ts';
import { noLimits } from '../testing/no-limits.ts';
import { newServer } from './server.ts';

const handler = () => undefined;
const connections = noLimits();

describe('newServer', () => {
  it('lets nobody hold a connection for ever', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = newServer({
      handler,
      connections,
    });

    expect([headersTimeout, requestTimeout, keepAliveTimeout]).toEqual([5000, 60_000, 65_000]);
  });

  it('lets a service choose otherwise', () => {
    const server = newServer({ handler, connections, serverOptions: { keepAliveTimeout: 1 } });

    expect([server.headersTimeout, server.keepAliveTimeout]).toEqual([5000, 1]);
  });

  it('accepts 8 KiB of headers, as a token and a long URL need, and no more', async () => {
    const server = newServer({
      connections,
      handler: ({ headers }, response) => response.end(headers.authorization),
    });
    const port = await listen(server, { port: 0, host: '127.0.0.1', flag: '--port' });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    async function statusWith(bytes: number) {
      const headers = { authorization: 'x'.repeat(bytes) };
      const asked = httpRequest({ port, host: '127.0.0.1', headers, agent: false }).end();
      const [response] = await once(asked, 'response');
      await text(response);
      return response.statusCode;
    }

    expect(await statusWith(8000)).toBe(200);
    expect(await statusWith(8192)).toBe(431);
  });

  it('answers a header that is late with 408', async () => {
    const serverOptions = { headersTimeout: 1, connectionsCheckingInterval: 10 };
    const server = newServer({ handler, connections, serverOptions });
    const port = await listen(server, { port: 0, host: '127.0.0.1', flag: '--port' });
    onTestFinished(() => void server.close());
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n');

    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 .*send it faster/s);
  });
});
