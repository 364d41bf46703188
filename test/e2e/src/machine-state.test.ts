/** machine-state and a real agent: what a person orders is in effect on the machine, whatever dies. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, machineStateApi, swarmingClientApi } from '@skolo/api';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { operatorToken, startService } from './service-process.ts';

const agentKey = newAgentKey();
const nowhere = 'http://127.0.0.1:2';

it('keeps a quarantine in effect through kill -9 of either, and of both', async () => {
  const dir = await tempDir();
  await writeFile(join(dir, 'agents'), agentKey.reveal(), { mode: 0o600 });
  const token = await operatorToken(dir);
  const startAgent = async () => {
    await writeFile(join(dir, 'agent.yaml'), rackYaml(dir, nowhere));
    const process = await startService('swarming-client', [
      ...['--machine', 'rpi-1', '--rack', join(dir, 'agent.yaml'), '--metadata-url', nowhere],
      ...['--state-dir', join(dir, 'agent'), '--hook-port', '0'],
    ]);
    const client = createClient(swarmingClientApi, { baseUrl: process.url });
    return { ...process, status: () => client.status() };
  };
  const startMachineState = async (agent: string) => {
    await writeFile(join(dir, 'rack.yaml'), rackYaml(dir, agent));
    const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
    const process = await startService('machine-state', flags);
    return { ...process, client: createClient(machineStateApi, { baseUrl: process.url, token }) };
  };
  const quarantined = { health: { verdict: 'quarantined' }, orders: [{ by: 'ann' }] };

  const agent = await startAgent();
  const service = await startMachineState(agent.url);
  const { orders } = await service.client.order({
    body: { machines: ['rpi-1'], kind: 'quarantine', reason: 'the fan is broken' },
  });
  await expect.poll(() => agent.status()).toMatchObject(quarantined);
  await service.end('SIGKILL');
  expect(await agent.status()).toMatchObject(quarantined);
  await agent.end('SIGKILL');

  const again = await startAgent();
  await expect.poll(() => again.status()).toMatchObject(quarantined);
  const { client } = await startMachineState(again.url);
  const machine = () => client.machine({ params: { name: 'rpi-1' } });
  await expect
    .poll(machine)
    .toMatchObject({ condition: 'quarantined', orders: [{ reason: 'the fan is broken' }] });
  await client.endOrder({ params: { id: orders[0]?.id ?? '' } });
  await expect.poll(() => again.status()).toMatchObject({ orders: [] });
});

function rackYaml(dir: string, agent: string): string {
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.8 }
access: { tokens: { file: tokens.yaml }, agents: { privateKey: agents, publicKey: ${agentPublicKey(agentKey)} } }
machines:
  rpi-1: { kind: rpi, address: 127.0.1.1, swarming: { url: "${agent}" } }
services:
  metadata-server: { url: "${nowhere}", metricsUrl: "${nowhere}" }
  power-cycle-daemon: { url: "${nowhere}", metricsUrl: "${nowhere}" }
  router-backup: { url: "${nowhere}", metricsUrl: "${nowhere}" }
  alert-to-pubsub: { url: "${nowhere}", metricsUrl: "${nowhere}" }
  machine-state: { alertmanager: none }
  swarming-client: { server: "${nowhere}", botDir: ${join(dir, 'bot')} }
`;
}
