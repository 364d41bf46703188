/** machine-state for a test: in this process, with a rack of fake agents. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Client,
  createClient,
  type HistoryEntry,
  type Machine,
  machineStateApi,
} from '@skolo/api';
import { agentPublicKey } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { type Clock, createLogger, newToken, startService } from '@skolo/common';
import { onTestFinished } from 'vitest';
import type { ServiceTuning } from '../collect/services.ts';
import { createMachineState, type MachineStateDeps } from '../service.ts';
import { agentKey, type FakeAgent, rackName as usualRackName } from './fake-agent.ts';

interface LabOptions {
  /** Name of the rack. */
  name?: string;
  /** By machine; undefined: nothing responds. */
  agents?: Readonly<Record<string, Pick<FakeAgent, 'url'> | undefined>>;
  /** More of rack.yaml, in block style. */
  rack?: string;
  /** Of each machine, in flow style: `, uplink: switch-1/2`. */
  more?: (machine: string, at: number) => string;
  /** Settings of the service, in flow style. */
  settings?: string;
  clock?: Clock;
  /** Continues from this lab's state. */
  previous?: Pick<Lab, 'dir'>;
  deps?: MachineStateDeps;
}

export interface Lab {
  dir: string;
  stateDir: string;
  url: string;
  /** Of `ann`, an operator. */
  token: string;
  /** Signed in with it. */
  client: Client<typeof machineStateApi>;
  /** Of another process with this state. */
  clientOf(url: string): Client<typeof machineStateApi>;
  machine(name: string): Promise<Machine>;
  /** History of `rpi-1`: entries of these kinds, or all. */
  entries(kind?: string): Promise<HistoryEntry[]>;
  metrics(): Promise<string>;
  /** Another rack, from then on. */
  edit(options: Pick<LabOptions, 'agents' | 'rack' | 'more' | 'settings'>): Promise<void>;
  logged(): Record<string, unknown>[];
  stop(): Promise<void>;
}

/** Nothing listens on it. */
const nowhere = 'http://127.0.0.1:2';
const quick: MachineStateDeps = {
  agents: { gapMs: 5, retryMs: 100, waitSeconds: 5 },
  services: servicesEvery(1000),
};

/** How often the other services are polled, in milliseconds: most tests have none, and each attempt costs time. */
export function servicesEvery(ms: number): ServiceTuning {
  return { powerMs: ms, alertsMs: ms, clientsMs: ms, backupsMs: ms, readyMs: ms, retryMs: ms };
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const dir = options.previous?.dir ?? (await tempDir());
  const stateDir = join(dir, 'state');
  const rackFile = join(dir, 'rack.yaml');
  await mkdir(stateDir, { recursive: true });
  await writeFile(join(dir, 'agents'), agentKey.reveal(), { mode: 0o600 });
  const edit: Lab['edit'] = async (changed) => {
    await writeFile(join(dir, 'new.yaml'), rackYaml({ ...options, ...changed }));
    await rename(join(dir, 'new.yaml'), rackFile);
  };
  await edit({});
  await rm(join(dir, 'tokens.yaml'), { force: true });
  const token = await newToken(join(dir, 'tokens.yaml'), {
    name: 'ann',
    role: 'operate',
    expiresInDays: 1,
  });
  const lines: Record<string, unknown>[] = [];
  const { clock, deps = {} } = options;
  const service = await startService(
    createMachineState({
      ...deps,
      agents: { ...quick.agents, ...deps.agents },
      services: { ...quick.services, ...deps.services },
    }),
    {
      rackFile,
      stateDir,
      port: 0,
      metricsPort: 0,
      host: '127.0.0.1',
      log: createLogger({
        service: 'machine-state',
        level: 'debug',
        destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
      }),
      ...(clock && { clock }),
    },
  );
  const url = `http://127.0.0.1:${service.port}`;
  // A sync may take long on a busy computer.
  const clientOf = (baseUrl: string) =>
    createClient(machineStateApi, { baseUrl, token, timeoutMs: 900_000 });
  const client = clientOf(url);
  const stop = () => service.stop();
  onTestFinished(stop);
  return {
    dir,
    stateDir,
    url,
    token,
    client,
    clientOf,
    edit,
    stop,
    machine: (name) => client.machine({ params: { name } }),
    async entries(kind) {
      const query = kind === undefined ? {} : { kind };
      return (await client.history({ params: { name: 'rpi-1' }, query })).entries;
    },
    metrics: async () => (await fetch(`http://127.0.0.1:${service.metricsPort}/metrics`)).text(),
    logged: () => lines,
  };
}

function rackYaml({
  name: rackName = usualRackName,
  agents = {},
  rack = '',
  more,
  settings = '{ alertmanager: none }',
}: LabOptions): string {
  const machines = Object.entries(agents).map(([name, agent], at) => {
    const url = agent?.url ?? nowhere;
    const own = more?.(name, at) ?? '';
    return `  ${name}: { kind: rpi, shelf: shelf1, address: 127.0.${1 + (at >> 7)}.${(at & 127) + 1}, swarming: { url: "${url}" }${own} }\n`;
  });
  const others = ['metadata-server', 'power-cycle-daemon', 'router-backup', 'alert-to-pubsub'];
  return `rack: ${rackName}
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.8 }
access:
  tokens: { file: tokens.yaml }
  agents: { privateKey: agents, publicKey: ${agentPublicKey(agentKey)} }
machines:${machines.length === 0 ? ' {}' : ''}
${machines.join('')}${rack.includes('services:') ? rack : `${rack}services:\n`}  machine-state: ${settings}
${others
  .filter((name) => !rack.includes(`  ${name}:`))
  .map((name) => `  ${name}: { url: "${nowhere}", metricsUrl: "${nowhere}" }\n`)
  .join('')}`;
}
