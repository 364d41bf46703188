/** The HTTP APIs of the other services on one port: JSON by path, and cycles as server-sent events. */

import { createServer, type ServerResponse } from 'node:http';
import { listen } from '@skolo/base/testing';

interface FakeServices {
  url: string;
  /** By path; an undefined value answers 500. */
  answers: Record<string, unknown>;
  /** Tokens by path, of the last request. */
  tokens: Map<string, string | undefined>;
  /** Sends a cycle to those who follow them. */
  cycle(cycle: object): void;
}

export async function startFakeServices(): Promise<FakeServices> {
  const answers: Record<string, unknown> = {
    // Only for the power-cycle daemon: machine-state makes its requests elsewhere.
    '/v1/machines': { machines: [] },
    '/v1/controllers': { controllers: [] },
    '/v1/power-cycles': { cycles: [] },
    '/v1/clients': { clients: [] },
    '/v1/equipment': { equipment: [], offsite: [], lost: [] },
    '/v1/alerts': { alerts: [] },
    '/readyz': { ready: true, degraded: [] },
  };
  const followers = new Set<ServerResponse>();
  const tokens: FakeServices['tokens'] = new Map();
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    tokens.set(path, request.headers.authorization);
    if (path === '/v1/power-cycles/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      followers.add(response);
      return;
    }
    if (path === '/metrics') {
      response.end('skolo_build_info{service="x",version="1.2.3",node="v24"} 1\n');
      return;
    }
    const answer = answers[path];
    response
      .writeHead(answer === undefined ? 500 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer ?? {}));
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    tokens,
    cycle(cycle) {
      const event = `event: cycle\ndata: ${JSON.stringify(cycle)}\n\n`;
      for (const follower of followers) follower.write(event);
    },
  };
}
