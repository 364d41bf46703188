import { once } from 'node:events';
import { createServer } from 'node:net';
import { listen } from '../listen.ts';

/** A port that nobody listens on now; without a host, on any address. */
export async function freePort(host?: string): Promise<number> {
  const server = createServer();
  const port = await listen(server, { port: 0, host, flag: '--port' });
  server.close();
  await once(server, 'close');
  return port;
}
