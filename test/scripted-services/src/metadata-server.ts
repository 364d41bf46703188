import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exampleClients } from './example/clients.ts';
import type { ScriptedService } from './service.ts';
import type { MetadataWorld } from './worlds.ts';

const token = 'the-token-of-ann';

/**
 * The metadata server's own API over a real socket, with what the one under test needs to see. `URL/open` is for
 * everybody, `URL/closed` for the bearer of `the-token-of-ann`, and `URL/rejecting` for nobody; `URL/broken` is no API.
 * Times are half a minute or more from where their wording changes, so that a slow computer sees the same.
 */
export async function startMetadataServer(
  world: MetadataWorld = exampleClients,
): Promise<ScriptedService> {
  const server = createServer((request, response) => {
    const { status, body } = answerTo(request, world);
    const type = status === 200 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerTo({ url = '', headers: { authorization } }: IncomingMessage, world: MetadataWorld) {
  const [, endpoint, ...path] = url.split('/');
  const call = path.join('/');
  if (endpoint === 'rejecting') {
    return problem(
      403,
      'Forbidden',
      'bob@example.com has no role here; an admin of the rack can add it',
    );
  }
  if (endpoint === 'closed' && authorization === undefined) {
    return problem(401, 'Unauthorized', 'no token: send a token');
  }
  if (endpoint === 'closed' && authorization !== `Bearer ${token}`) {
    return problem(401, 'Unauthorized', 'unknown token: it was never made, or it was revoked');
  }
  if (endpoint === 'open' || endpoint === 'closed') {
    if (call === 'v1/clients') return { status: 200, body: { clients: world.clients() } };
    if (call.startsWith('v1/audit')) return { status: 200, body: { entries: [], skipped: 0 } };
    if (call === 'v1/identities') return { status: 200, body: { identities: world.identities() } };
  }
  return { status: 200, body: { hello: 'world' } };
}

function problem(status: number, title: string, detail: string) {
  return { status, body: { type: 'about:blank', title, status, detail } };
}
