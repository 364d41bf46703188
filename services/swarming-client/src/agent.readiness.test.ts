import { createServer } from 'node:http';
import { listen, tempDir } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { startAgentHere } from './testing/agent-here.ts';
import { startMetadata } from './testing/metadata.ts';

async function start(metadataUrl: string) {
  const stateDir = await tempDir();
  const agent = await startAgentHere({ metadataUrl, stateDir });
  onTestFinished(() => agent.stop({ isHurried: true }));
  return async () => (await fetch(`http://127.0.0.1:${agent.metricsPort}/readyz`)).json();
}

it('reports why it is not ready also while the metadata server keeps it waiting', async () => {
  const silent = createServer(() => undefined);
  const ready = await start(`http://127.0.0.1:${await listen(silent)}`);

  expect(await ready()).toMatchObject({
    ready: false,
    degraded: [{ what: 'identity', why: 'the agent has just started' }],
  });
});

it('reports that no Swarming server fits its name', async () => {
  const metadata = await startMetadata('rpi-1');
  onTestFinished(() => metadata.close());
  metadata.setRack(`
rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
machines: { rpi-1: { kind: host, address: 127.0.1.1 } }
services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  swarming-client: { servers: [{ prefix: other-, server: "http://127.0.0.1:9" }] }
`);
  const ready = await start(metadata.url);

  await expect.poll(ready).toMatchObject({
    degraded: [{ what: 'bot', why: expect.stringContaining("matches the machine's name") }],
  });
});
