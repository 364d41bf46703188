/** The same answer with express, written the usual way: a route and a header check. */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { token } from './answer.ts';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get(token.path, (request, response) => {
  if (request.get('Metadata-Flavor') !== 'Google') {
    response.status(403).end();
    return;
  }
  response.set(token.headers).send(token.body);
});
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening ${(server.address() as AddressInfo).port}`);
});
