/** A small HTTP server that controls a simulator, for actions that would otherwise require a person at the rack. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { choosePort } from '../addresses/ports.ts';

/** By `METHOD /path`; a last part of digits is passed as a number. */
type Acts = Readonly<Record<string, (number: number) => string>>;

interface ControlServer {
  url: string;
  close(): Promise<void>;
}

export async function startControlServer(
  host: string,
  port: number,
  acts: Acts,
): Promise<ControlServer> {
  const server = createServer((request, response) => {
    request.resume();
    const { method = '', url = '' } = request;
    const [, path = '', number] = /^(\/.*?)(?:\/(\d{1,3}))?$/.exec(url) ?? [];
    const act = acts[`${method} ${path}`];
    // Not for pages in a browser: their requests have an origin.
    const isOurs = act !== undefined && request.headers.origin === undefined;
    response.writeHead(isOurs ? 200 : 404, { 'content-type': 'text/plain' });
    response.end(`${isOurs ? act(Number(number ?? 0)) : Object.keys(acts).join('\n')}\n`);
  });
  // Another process may take the port between the check and the start.
  server.listen(await choosePort([port], host), host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${bound}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
