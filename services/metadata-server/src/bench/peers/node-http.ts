/** The minimum with node:http: the same bytes for every request. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { token } from './answer.ts';

const server = createServer((_, response) => {
  response.writeHead(200, token.headers);
  response.end(token.body);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening ${(server.address() as AddressInfo).port}`);
});
