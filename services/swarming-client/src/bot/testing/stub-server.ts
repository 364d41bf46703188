/** Answers /bot_code, with faults on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StubServer {
  url: string;
  requests: { path: string; headers: IncomingMessage['headers'] }[];
  /** Replaces the answers from now on. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  stop: () => Promise<void>;
}

export async function startStubServer(): Promise<StubServer> {
  const server = createServer((request, response) => {
    stub.requests.push({ path: request.url ?? '', headers: request.headers });
    stub.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const { port } = address as AddressInfo;
  const stub: StubServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    answer: (_, response) => response.writeHead(404).end('nothing yet'),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return stub;
}

/** The zip, through a redirect with a relative address, like the real server. */
export function givesZip(zip: Buffer): StubServer['answer'] {
  return ({ url }, response) => {
    if (url === '/bot_code') {
      response.writeHead(302, { location: '/swarming/api/v1/bot/bot_code/abc' }).end();
    } else {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': zip.length,
      });
      response.end(zip);
    }
  };
}
