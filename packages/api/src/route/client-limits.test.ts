/** Responses of untrusted servers: a machine on which strangers are root. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { swarmingClientApi } from '../swarming-client.ts';
import { createClient } from './client.ts';

const mostBytes = 64 * 1024;

async function clientOf(listener: RequestListener, most = mostBytes) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return createClient(swarmingClientApi, { baseUrl: `http://127.0.0.1:${port}`, mostBytes: most });
}

describe('an answer larger than it may be', () => {
  it('is not read to its end', async () => {
    const piece = Buffer.alloc(16 * 1024, 0x20);
    const client = await clientOf((_request, response) => {
      const more = () => {
        while (response.write(piece));
      };
      response.on('drain', more);
      more();
    });

    await expect(client.status()).rejects.toThrow('the response is larger than 65536 bytes');
  });

  it('is not unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    const client = await clientOf((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    });

    await expect(client.status()).rejects.toThrow('the response is larger than 65536 bytes');
  });

  it.each([
    ['objects with names of their own', (i: number) => `{"k${i.toString(36)}":0}`],
    ['empty lists', () => '[]'],
  ])('once it is parsed is not parsed: %s', async (_, entry) => {
    const list = Array.from({ length: 300_000 }, (_, i) => entry(i)).join(',');
    const client = await clientOf(
      (_request, response) => response.end(`{"machine":[${list}]}`),
      16 * 1024 * 1024,
    );

    await expect(client.status()).rejects.toThrow('the response is not JSON, or too large');
  });
});
