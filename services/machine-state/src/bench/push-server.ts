/** The peer of the long poll: a server that agents push to. It only parses each status and keeps the last. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { AgentStatus } from '@skolo/api';

const known = new Map<string, AgentStatus>();
const server = createServer(async (request, response) => {
  const status = AgentStatus.parse(JSON.parse(await text(request)));
  known.set(status.machine, status);
  response.writeHead(204).end();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(JSON.stringify({ listening: (server.address() as AddressInfo).port }));
