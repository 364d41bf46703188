import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { choosePort } from './ports.ts';

const host = '127.0.0.1';

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('not a TCP server');
  return address.port;
}

it('takes the first wanted port that is free', async () => {
  const free = await choosePort([], host);
  const taken = await takenPort();

  expect(await choosePort([taken, free], host)).toBe(free);
});

it('takes another one when none of these is free or allowed', async () => {
  const taken = await takenPort();
  const promised = await choosePort([], host);

  const port = await choosePort([taken, promised], host, new Set([promised]));

  expect([taken, promised, 0]).not.toContain(port);
});
