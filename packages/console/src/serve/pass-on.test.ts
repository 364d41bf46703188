/** Paths that a check and a URL parser interpret differently. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { commandApp } from '@skolo/common/light';
import { describe, expect, it, onTestFinished } from 'vitest';
import { passOn } from './pass-on.ts';

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A proxy, and the service behind it with the paths that it received. */
async function start() {
  const asked: string[] = [];
  const service = await listening(
    createServer(({ url = '' }, response) => {
      asked.push(url);
      response.end('there');
    }),
  );
  const proxy = await listening(
    createServer(
      commandApp(
        [],
        [
          (incoming, response) => {
            const url = `http://127.0.0.1:${service}${incoming.url}`;
            return passOn(incoming, response, {
              name: 'a-service',
              url,
              rack: 'rack1',
              headers: {},
            });
          },
        ],
      ).listener,
    ),
  );
  /** Sent unchanged: clients resolve such paths themselves. */
  async function get(path: string) {
    return await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request({ host: '127.0.0.1', port: proxy, path }, async (response) =>
        resolve({ status: response.statusCode, body: await text(response) }),
      )
        .on('error', reject)
        .end();
    });
  }
  return { asked, get };
}

describe('a request of a page', () => {
  it.each([
    String.raw`/v1/machines/..\..\metrics`,
    String.raw`/v1/machines\x`,
    '/v1/machines/../../metrics',
    '/v1/machines/%2E%2e/%2e./metrics',
    '/v1/machines/.',
    '/v1/machines#/x',
  ])('is not passed on where its path is another one to a parser of URLs: %s', async (path) => {
    const { asked, get } = await start();

    expect((await get(path)).status).toBe(404);
    expect(asked).toEqual([]);
  });

  it.each(['/v1/machines/a%5Cb', '/v1/machines/...', '/v1/x?path=..\\y&z=/../'])(
    'is passed on as it is: %s',
    async (path) => {
      const { asked, get } = await start();

      expect(await get(path)).toEqual({ status: 200, body: 'there' });
      expect(asked).toEqual([path]);
    },
  );
});
