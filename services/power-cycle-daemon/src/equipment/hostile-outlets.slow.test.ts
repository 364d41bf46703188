/** What a response with all outlets may cost the whole service: one turn of the event loop is short. */
import { createServer } from 'node:http';
import { listen, longestTurn, slowness } from '@skolo/base/testing';
import { loadDrivers } from '@skolo/equipment/models/load';
import { expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

/** Of CPU time, on the reference computer. */
const mostMs = 250;
const outlets = 48;

it.each([
  [
    'text for which an expression takes long',
    String.raw`(\w+\s?)*"{outlet}":1`,
    'a'.repeat(30_000),
  ],
  ['a large document', '"{outlet}":1', JSON.stringify({ note: 'a "1": '.repeat(9000) })],
])('has short turns while it reads 48 outlets from %s', async (_what, on, body) => {
  const begun = Promise.withResolvers<void>();
  let answers = 0;
  const server = createServer(async (_request, response) => {
    await begun.promise;
    answers += 1;
    response.end(body);
  });
  const port = await listen(server);
  const daemon = await startDaemon({
    drivers: await loadDrivers(),
    yaml: `equipment:
  pdu-1:
    { model: http-switch, address: 127.0.0.1, ports: { http: ${port} }, outlets: ${outlets},
      on: { path: '/{outlet}/on' }, off: { path: '/{outlet}/off' },
      read: { path: /all, on: '${on}', off: '"{outlet}":0' } }
machines:
  m-[1-${outlets}]: { kind: host, power: 'pdu-1/[1-${outlets}]' }
`,
  });
  const known = async () => (await daemon.client.controllers()).controllers[0];
  const before = await known();

  const { ms } = await longestTurn(async () => {
    begun.resolve();
    await expect.poll(async () => JSON.stringify(await known())).not.toBe(JSON.stringify(before));
  });

  expect(answers).toBeGreaterThan(0);
  expect(ms / (await slowness())).toBeLessThan(mostMs);
});
