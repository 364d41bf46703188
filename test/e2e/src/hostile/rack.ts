/**
 * A rack of working machines: the services as their images run them, each with its pod's memory. Google, a switch and the agents are
 * simulated. Each method makes a request of a bot, an engineer or Prometheus.
 */

import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createClient, machineStateApi, powerCycleDaemonApi } from '@skolo/api';
import { isLong } from '@skolo/base/durable/fault-injection';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import type { ServiceProcess } from '@skolo/common/testing/own-process';
import {
  type GoogleOAuth,
  type GooglePubSub,
  type SimulatedDevice,
  startEdgeSwitch,
  startGooglePubSub,
  startSimulatedMachine,
} from '@skolo/simulators';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { limitMemory, memoryOf } from '../connections/memory-limit.ts';
import { startGoogle } from '../google.ts';
import { operatorToken, startService } from '../service-process.ts';

const scope = 'https://www.googleapis.com/auth/userinfo.email';
const topic = 'projects/my-project/topics/prometheus-alerts';
const account = { username: 'ubnt', password: 'canary-switch' };
/** Ports of the switch: this many machines can be power-cycled. */
export const outlets = 48;
/** For requests of healthy machines and people, on a busy computer. */
const patienceMs = 900_000;

export const serviceNames = [
  'metadata-server',
  'power-cycle-daemon',
  'machine-state',
  'alert-to-pubsub',
] as const;

interface Neighbour {
  name: string;
  address: string;
  agentUrl: string;
  sshPort: number;
}

interface HealthyRack {
  machines: readonly Neighbour[];
  services: Readonly<Record<(typeof serviceNames)[number], ServiceProcess>>;
  /** A bot gets a token, and Google accepts it. */
  token(of: Neighbour): Promise<void>;
  /** An engineer orders maintenance, and the agent gets only that order. */
  order(of: Neighbour): Promise<void>;
  /** An engineer power-cycles a machine, and it is seen back. */
  powerCycle(of: Neighbour): Promise<void>;
  /** A Prometheus alert reaches Pub/Sub. */
  alert(name: string): Promise<void>;
  /** `MACHINE: AUTHOR` of each active order. */
  orders(): Promise<string[]>;
}

const Token = z.object({ access_token: z.string() });
const AgentOrders = z.object({ orders: z.array(z.object({ by: z.string() })).optional() });

/** @param agents URLs of the agents of hostile machines, which are the first of the rack */
export async function startHealthyRack(
  size: number,
  agents: readonly string[],
): Promise<HealthyRack> {
  const dir = await tempDir();
  const write = (name: string, content: string) =>
    writeFile(join(dir, name), content, { mode: 0o600 });
  const google = await startGoogle('bots', join(dir, 'bots.json'));
  await write('switch-password', account.password);
  const key = newAgentKey();
  const agentKey = agentPublicKey(key);
  await write('agent-key', key.reveal());
  const pubsub = untilTestEnds(await startGooglePubSub({ topics: [topic] }));
  const device = await startEdgeSwitch({ ...account, host: '127.0.2.2', ports: outlets });
  onTestFinished(() => device.close());

  const machines = await startMachines(size, agents, { device, agentKey });
  const started: Partial<Record<(typeof serviceNames)[number], ServiceProcess>> = {};
  const writeRack = () =>
    write(
      'rack.yaml',
      rackYaml({ machines, agentKey, switchPort: device.port, pubsub: pubsub.endpoint }, started),
    );
  const token = await operatorToken(dir);
  async function start(name: keyof HealthyRack['services']): Promise<ServiceProcess> {
    await writeRack();
    const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, name)];
    // With its pod's memory, if a cgroup can be created: a service that uses more is killed, and stops responding.
    const limit = limitMemory(name, memoryOf(name));
    onTestFinished(() => limit?.remove());
    const service = await startService(name, flags, {}, limit?.command);
    started[name] = service;
    return service;
  }
  const services = {
    'metadata-server': await start('metadata-server'),
    'power-cycle-daemon': await start('power-cycle-daemon'),
    'machine-state': await start('machine-state'),
    'alert-to-pubsub': await start('alert-to-pubsub'),
  };
  await writeRack();
  return {
    machines,
    services,
    ...asksOf({ services, token, google, pubsub }),
  };
}

async function startMachines(
  size: number,
  agents: readonly string[],
  { device, agentKey }: { device: SimulatedDevice; agentKey: string },
): Promise<Neighbour[]> {
  const machines: Neighbour[] = [];
  for (let i = 0; i < size; i += 1) {
    const [name, host] = [`rpi-${i + 1}`, addressOf(i)];
    let [agentUrl, sshPort] = [agents[i], 22];
    if (agentUrl === undefined) {
      const feeds = i < outlets ? [[device.board, String(i + 1)] as const] : [];
      const machine = await startSimulatedMachine({ ...account, name, host, feeds, agentKey });
      onTestFinished(() => machine.close());
      [agentUrl, sshPort] = [machine.agentUrl ?? '', machine.sshPort];
    }
    machines.push({ name, address: host, agentUrl, sshPort });
  }
  return machines;
}

interface Running extends Pick<HealthyRack, 'services'> {
  /** An engineer's client. */
  token: string;
  google: GoogleOAuth;
  pubsub: GooglePubSub;
}

/** Requests of neighbours, engineers and Prometheus. */
function asksOf({
  services,
  token,
  google,
  pubsub,
}: Running): Omit<HealthyRack, 'machines' | 'services'> {
  const client = { token, timeoutMs: patienceMs };
  const state = createClient(machineStateApi, {
    ...client,
    baseUrl: services['machine-state'].url,
  });
  const power = createClient(powerCycleDaemonApi, {
    ...client,
    baseUrl: services['power-cycle-daemon'].url,
  });

  return {
    async token({ address }) {
      const path = '/computeMetadata/v1/instance/service-accounts/default/token';
      const { access_token } = Token.parse(
        await ask(`${services['metadata-server'].url}${path}`, address),
      );
      expect(google.isValid(access_token, scope)).toBe(true);
    },
    async order({ name, agentUrl }) {
      const { orders } = await state.order({
        body: { machines: [name], kind: 'maintenance', reason: 'a new cable' },
      });
      const authors = async () => {
        const status = AgentOrders.parse(await (await fetch(`${agentUrl}/v1/status`)).json());
        return status.orders?.map(({ by }) => by);
      };
      await expect.poll(authors).toEqual(['ann']);
      for (const { id } of orders) await state.endOrder({ params: { id }, query: {} });
    },
    async powerCycle({ name }) {
      // A reboot first takes half a minute.
      const mode = isLong ? ('auto' as const) : ('hard' as const);
      const about = { reason: 'it hangs', offSeconds: 0.5, ignoreLimits: true };
      const body = { machines: [name], mode, ...about };
      const { cycles } = await power.requestCycles({ body });
      const id = cycles[0]?.id ?? '';
      const outcome = async () => {
        const { outcome, steps } = await power.cycle({ params: { id } });
        return outcome ?? steps;
      };
      await expect.poll(outcome).toBe('back');
    },
    async alert(name) {
      const labels = { alertname: name, severity: 'warning' };
      const answer = await fetch(`${services['alert-to-pubsub'].url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify([{ labels }]),
      });
      expect(answer.status).toBe(200);
      const arrived = () => pubsub.published(topic).some(({ data }) => data.includes(name));
      await expect.poll(arrived).toBe(true);
    },
    async orders() {
      const { machines: views } = await state.machines({ query: {} });
      const all = views.flatMap(({ name, orders }) =>
        orders.map(({ by = 'nobody' }) => `${name}: ${by}`),
      );
      return [...new Set(all)];
    },
  };
}

export function addressOf(i: number): string {
  return `127.0.${20 + Math.floor(i / 200)}.${(i % 200) + 1}`;
}

/** As the machine at that address. */
async function ask(url: string, localAddress: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const headers = { 'metadata-flavor': 'Google' };
    request(url, { localAddress, headers, agent: false }, (response) => {
      text(response).then((body) => resolve(JSON.parse(body)), reject);
    })
      .on('error', reject)
      .end();
  });
}

interface Inventory {
  machines: readonly Neighbour[];
  agentKey: string;
  switchPort: number;
  pubsub: string;
}

function rackYaml(
  { machines, agentKey, switchPort, pubsub }: Inventory,
  started: Partial<HealthyRack['services']>,
): string {
  const service = (name: keyof HealthyRack['services'] | 'router-backup') => {
    const nowhere = { url: 'http://127.0.0.1:9', metricsUrl: 'http://127.0.0.1:9' };
    const { url, metricsUrl } = (name === 'router-backup' ? undefined : started[name]) ?? nowhere;
    return `url: "${url}", metricsUrl: "${metricsUrl}"`;
  };
  const entries = machines.map(({ name, address, agentUrl, sshPort }, i) => {
    const power = i < outlets ? `power: switch-1/${i + 1}, ` : '';
    return `  ${name}: { kind: rpi, address: ${address}, port: ${sshPort}, ${power}identity: bots, swarming: { url: "${agentUrl}" } }\n`;
  });
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
identities:
  bots: { project: my-project, scopes: [${scope}], credentials: { serviceAccountKey: bots.json } }
access:
  tokens: { file: tokens.yaml }
  anonymousRead: [127.0.0.0/8]
  agents: { privateKey: agent-key, publicKey: ${agentKey} }
logins:
  switches: { username: ${account.username}, password: switch-password }
equipment:
  switch-1: { model: edgeswitch, portCount: ${outlets}, address: 127.0.2.2, ports: { ssh: ${switchPort} }, login: switches, backup: false }
machines:
${entries.join('')}services:
  metadata-server: { ${service('metadata-server')} }
  power-cycle-daemon: { ${service('power-cycle-daemon')} }
  router-backup: { ${service('router-backup')} }
  machine-state: { ${service('machine-state')}, alertmanager: none }
  alert-to-pubsub: { ${service('alert-to-pubsub')}, project: my-project, topic: prometheus-alerts, endpoint: "${pubsub}" }
`;
}
