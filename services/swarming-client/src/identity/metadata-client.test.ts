import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { ClockOffset, MetadataClient } from './metadata-client.ts';

it.each([
  ['no metadata server', {}, false],
  ['one', { 'metadata-flavor': 'Google' }, true],
])('is told by the clock of %s whether ours is off', async (_, headers, isBelieved) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { date: 'Sat, 01 Jan 2000 00:00:00 GMT', ...headers }).end('{}');
  });
  const port = await listen(server);
  const offsets: number[] = [];
  const client = new MetadataClient({
    urls: () => [`http://127.0.0.1:${port}`],
    localAddress: undefined,
    now: () => Date.parse('2000-01-01T00:00:02Z'),
    emit: (event) => event.type === 'clock-compared' && offsets.push(event.offsetSeconds),
  });

  await client.attribute('x', { signal: new AbortController().signal }).catch(() => undefined);

  expect(offsets).toEqual(isBelieved ? [1.5] : []);
});

/** A Pi has no clock of its own: it boots with that of its last day. */
it('is over as soon as the clock is set, and there when it is set wrong', () => {
  const time = { now: 0, uptime: 5 };
  const offset = new ClockOffset({ now: () => time.now, uptime: () => time.uptime });
  const seen = [offset.get()];

  offset.set(-86_400);
  seen.push(offset.get());
  Object.assign(time, { now: 10_000, uptime: 15 });
  seen.push(offset.get());
  Object.assign(time, { now: 86_411_000, uptime: 16 });
  seen.push(offset.get());
  Object.assign(time, { now: 90_012_000, uptime: 17 });
  seen.push(offset.get());

  expect(seen).toEqual([undefined, -86_400, -86_400, 0, 3600]);
});
