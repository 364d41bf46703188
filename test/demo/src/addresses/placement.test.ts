import { once } from 'node:events';
import { createServer } from 'node:net';
import { servicePorts } from '@skolo/rack';
import { expect, it, onTestFinished } from 'vitest';
import { choosePlaces } from './placement.ts';

const host = '127.0.0.1';

it('takes another port where one is taken', async () => {
  const { metricsPort } = servicePorts['router-backup'];
  const server = createServer().listen({ port: metricsPort, host, exclusive: true });
  onTestFinished(() => void server.close());
  // Another program may have it.
  await Promise.race([once(server, 'listening'), once(server, 'error').catch(() => undefined)]);

  const [place] = await choosePlaces([{ name: 'router-backup' }], host);

  expect(place?.metricsPort).not.toBe(metricsPort);
  expect(place?.metricsUrl).toBe(`http://${host}:${place?.metricsPort}`);
});
