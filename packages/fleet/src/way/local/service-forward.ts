/** A local URL for a service of a rack, for a browser. Every request is marked as forwarded. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { errorText } from '@skolo/base';
import { request } from '@skolo/base/http';
import { hostOf, overTls, portOf } from '@skolo/base/internet';
import type { Open } from '../ssh/tunnel-fetch.ts';
import { markForwarded } from './forwarded.ts';
import { type LocalServer, startLocalServer } from './local-server.ts';

/** How long a request waits for the tunnel. */
const patienceMs = 10_000;

/**
 * @param target as reached from the jumphost; its path is not used
 * @param connect through the tunnel
 */
export async function startForward(target: URL, connect: Open): Promise<LocalServer> {
  async function answer(incoming: IncomingMessage, response: ServerResponse) {
    try {
      const patience = AbortSignal.timeout(patienceMs);
      const way = await connect(hostOf(target), portOf(target), patience);
      const socket = target.protocol === 'https:' ? overTls(way, target) : way;
      if (response.closed) return socket.destroy();
      response.on('close', () => socket.destroy());
      const asked = request({
        method: incoming.method,
        path: incoming.url,
        headers: headersFor(incoming, target.host),
        createConnection: () => socket,
      });
      pipeline(incoming, asked, () => {});
      const [answered]: IncomingMessage[] = await once(asked, 'response');
      if (!answered) return undefined;
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      return pipeline(answered, response, () => socket.destroy());
    } catch (error) {
      return reject(response, `no response from ${target.host}: ${errorText(error)}`);
    }
  }

  return await startLocalServer((incoming, response) => void answer(incoming, response));
}

/** Headers that apply only to this connection. */
const ofConnection = new Set(['host', 'connection', 'keep-alive', 'proxy-connection', 'upgrade']);

function headersFor(
  { rawHeaders }: IncomingMessage,
  host: string,
): Record<string, string | string[]> {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    pairs.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  }
  const own = markForwarded(pairs.filter(([name]) => !ofConnection.has(name.toLowerCase())));
  const result: Record<string, string | string[]> = { host };
  for (const [name, value] of own) {
    const key = name.toLowerCase();
    const before = result[key];
    result[key] = before === undefined ? value : [before, value].flat();
  }
  return result;
}

function reject(response: ServerResponse, why: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(502, { 'content-type': 'text/plain' }).end(`${why}\n`);
}
