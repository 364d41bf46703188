import { createServer, type RequestListener } from 'node:http';
import { listen } from '@skolo/base/testing';

/** A server on a free port, closed with the test. Returns its URL. */
export async function startServer(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}
