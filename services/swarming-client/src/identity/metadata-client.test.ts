import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { MetadataClient } from './metadata-client.ts';

it.each([
  ['no metadata server', {}, false],
  ['one', { 'metadata-flavor': 'Google' }, true],
])('is told by the clock of %s whether ours is off', async (_, headers, isBelieved) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { date: 'Sat, 01 Jan 2000 00:00:00 GMT', ...headers }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const offsets: number[] = [];
  const client = new MetadataClient({
    urls: () => [`http://127.0.0.1:${(server.address() as AddressInfo).port}`],
    localAddress: undefined,
    now: () => Date.parse('2000-01-01T00:00:02Z'),
    onClockOffset: (seconds) => offsets.push(seconds),
  });

  await client.attribute('x', { signal: new AbortController().signal }).catch(() => undefined);

  expect(offsets).toEqual(isBelieved ? [1.5] : []);
});
