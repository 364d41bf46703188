/**
 * A switch is pulled: its machines name it as their one cause. Real services and agents, with the periods that
 * they have in a rack, and a simulated switch. A pulled cable is an agent that is stopped: nothing answers, nothing rejects.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, machineStateApi } from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { startEdgeSwitch } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { operatorToken, startService } from './service-process.ts';

const machines = ['rpi-1', 'rpi-2', 'rpi-3'];
const nowhere = 'http://127.0.0.1:2';

it('is named by its machines as the one cause of their silence', async () => {
  const dir = await tempDir();
  const file = (name: string) => join(dir, name);
  await writeFile(file('password'), 'canary-switch', { mode: 0o600 });
  const token = await operatorToken(dir);
  const account = { username: 'ubnt', password: 'canary-switch' };
  const device = await startEdgeSwitch({ ...account, host: '127.0.2.2', ports: 8 });
  let isPulled = false;
  onTestFinished(async () => (isPulled ? undefined : device.close()));
  const urls: Record<string, string> = {};
  const writeRack = () => writeFile(file('rack.yaml'), rackYaml(device.port, urls, file('bot')));
  await writeRack();
  const flags = (name: string) => ['--rack', file('rack.yaml'), '--state-dir', file(name)];
  const start = async (name: string, more: string[] = [], as = name) => {
    const started = await startService(name, [...flags(as), ...more]);
    urls[as] = started.url;
    await writeRack();
    return started;
  };
  const agents = await Promise.all(
    machines.map((machine) => {
      const own = ['--machine', machine, '--metadata-url', nowhere, '--hook-port', '0'];
      return start('swarming-client', own, machine);
    }),
  );
  await start('power-cycle-daemon');
  const { url: baseUrl } = await start('machine-state');
  const client = createClient(machineStateApi, { baseUrl, token });
  const seen = async () => {
    const { equipment, causes } = await client.rack();
    const all = await client.machines();
    const conditions = all.machines.map(
      ({ condition, cause }) => `${condition} ${cause?.text ?? ''}`,
    );
    return { switch: equipment[0]?.state, causes: causes.map(({ code }) => code), conditions };
  };
  // Their bot has no server, and after a while its agent says so.
  const well = expect.stringMatching(/^(ok|recovering) $/);
  const isWell = { switch: 'up', causes: [], conditions: machines.map(() => well) };
  await expect.poll(seen).toEqual(isWell);

  isPulled = true;
  // As behind a pulled cable: connections stay, and nothing answers.
  for (const agent of agents) {
    agent.child.kill('SIGSTOP');
    onTestFinished(async () => void (await agent.end('SIGKILL')));
  }
  await device.close();

  await expect
    .poll(seen, { interval: 250 })
    .toMatchObject({ causes: ['switch-1'], conditions: machines.map(() => 'stale switch-1') });
  const { machines: found } = await client.machines();
  expect(found.filter(({ needsAttention }) => needsAttention !== undefined)).toEqual([]);
});

function rackYaml(port: number, urls: Readonly<Record<string, string>>, bot: string): string {
  const services = ['metadata-server', 'power-cycle-daemon', 'router-backup', 'alert-to-pubsub'];
  const at = (name: string) => urls[name] ?? nowhere;
  const list = machines.map(
    (name, i) =>
      `  ${name}: { kind: rpi, address: 127.0.1.${i + 1}, power: switch-1/${i + 1}, uplink: switch-1/${i + 1}, swarming: { url: "${at(name)}" } }\n`,
  );
  const places = services.map(
    (name) => `  ${name}: { url: "${at(name)}", metricsUrl: "${nowhere}" }\n`,
  );
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
logins:
  switches: { username: ubnt, password: password }
equipment:
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.2.2, ports: { ssh: ${port} }, login: switches, backup: false }
machines:
${list.join('')}services:
${places.join('')}  machine-state: { alertmanager: none }
  swarming-client: { server: "${nowhere}", botDir: ${bot} }
`;
}
