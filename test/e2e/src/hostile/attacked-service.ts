/** A service as it ships, in a cgroup with the memory of its deployment, beside hostile devices and a healthy one. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient, powerCycleDaemonApi, routerBackupApi } from '@skolo/api';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { bundleOf } from '@skolo/bench';
import { type ServiceProcess, startServiceProcess } from '@skolo/common/testing/own-process';
import { type Attack, startApcRpdu, startEdgeSwitch } from '@skolo/simulators';
import { expect, onTestFinished } from 'vitest';
import { bundles } from '../../../../scripts/bundle/bundles.mjs';
import { limitMemory, memoryOf } from '../connections/memory-limit.ts';
import { operatorToken } from '../service-process.ts';
import { startAttacker } from './attacker.ts';

export type AttackedService = 'power-cycle-daemon' | 'router-backup';
export type Transport = Attack['transport'];

interface Entry {
  /** Keys in rack.yaml. */
  keys: string;
  port: string;
  /** Of a machine. */
  outlet?: string;
}

const generic = 'model: generic, prompt: "#", commands: [show]';
/** How a device of each transport stands in rack.yaml. */
const entries: Readonly<Record<AttackedService, Partial<Record<Transport, Entry>>>> = {
  'power-cycle-daemon': {
    ssh: { keys: 'model: edgeswitch', port: 'ssh', outlet: '1' },
    'ssh exec': { keys: 'model: mpower, outlets: 6', port: 'ssh', outlet: '1' },
    telnet: { keys: 'model: edgeswitch, transport: telnet', port: 'telnet', outlet: '1' },
    HTTP: { keys: 'model: shelly-gen2', port: 'http', outlet: '0' },
    SNMP: { keys: 'model: snmp-poe', port: 'snmp', outlet: '1' },
    MQTT: { keys: 'model: mqtt-switch, outlets: 1, topic: plug', port: 'mqtt', outlet: '1' },
  },
  'router-backup': {
    ssh: { keys: generic, port: 'ssh' },
    'ssh exec': { keys: 'model: routeros', port: 'ssh' },
    telnet: { keys: `${generic}, transport: telnet`, port: 'telnet' },
    // Its table of connected hosts is read.
    SNMP: { keys: 'model: snmp-poe', port: 'snmp' },
  },
};

/** Whether it reads devices over this transport. */
export function reads(service: AttackedService, transport: Transport): boolean {
  return entries[service][transport] !== undefined;
}

/** What the healthy device is asked for, with the usual number of parallel cycles, on a busy computer. */
const patienceMs = 900_000;

interface Outcome {
  /** Undefined: it has not exited. */
  exited: number | string | undefined;
  /** Part of its limit. */
  peak: number;
  /** Milliseconds. */
  health: { failed: number; p99: number; worst: number };
}

/**
 * Attacks it by so many devices until the healthy one was switched or backed up, and for `seconds`.
 *
 * @returns undefined if no cgroup with a limit can be created
 */
export async function attack(
  name: AttackedService,
  about: Attack,
  { devices, seconds }: { devices: number; seconds: number },
): Promise<Outcome | undefined> {
  const limit = limitMemory(`${name}-attacked`, memoryOf(name));
  if (limit === undefined) return undefined;
  onTestFinished(() => limit.remove());
  const dir = await tempDir();
  const hostile = await Promise.all(
    Array.from({ length: devices }, () => startHostileDevice(about)),
  );
  const ports = hostile.map(({ port }) => port);
  const good = name === 'router-backup' ? await healthySwitch() : await healthyPdu();
  await writeFile(join(dir, 'rack.yaml'), rackYaml(name, about.transport, ports, good));
  for (const secret of ['password', 'community']) {
    await writeFile(join(dir, secret), secret, { mode: 0o600 });
  }
  const token = await operatorToken(dir);
  const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
  const service = await startServiceProcess(await bundleOf(name), flags, {
    nodeFlags: bundles.find((bundle) => bundle.name === name)?.nodeFlags ?? [],
    env: { MALLOC_ARENA_MAX: '1' },
    within: limit.command,
  });
  let exited: Outcome['exited'];
  service.child.once('exit', (code, signal) => {
    exited = code ?? signal ?? undefined;
  });
  const health = watchHealth(service);
  const options = {
    token,
    isOver: () => exited !== undefined,
    hasBegun: Promise.all(hostile.map(({ attacks }) => attacks)),
  };
  await good.use(service, options);
  const end = performance.now() + seconds * 1000;
  await expect.poll(() => exited !== undefined || performance.now() > end).toBe(true);
  const failed = hostile.some(({ child }) => child.exitCode !== null);
  if (failed) throw new Error('a hostile switch has failed; its error is above');
  return { exited, peak: limit.most() / limit.limit, health: await health() };
}

interface Healthy {
  /** Its line in rack.yaml. */
  entry: string;
  /** The outlet of a machine. */
  outlet?: string;
  /** Reads the hostile device, and when that attacks, switches or backs up this one. */
  use(
    service: ServiceProcess,
    about: { token: string; isOver: () => boolean; hasBegun: Promise<unknown> },
  ): Promise<void>;
}

function rackYaml(
  name: AttackedService,
  transport: Transport,
  ports: readonly number[],
  good: Healthy,
): string {
  const entry = entries[name][transport];
  if (entry === undefined) throw new Error(`${name} reads nothing over ${transport}`);
  const bad = ports.map(
    (port, i) =>
      `  bad-${i}: { ${entry.keys}, address: 127.0.0.1, ports: { ${entry.port}: ${port} }, login: any }`,
  );
  const machines = [...ports.keys()].map(
    (i) =>
      `  rpi-${i}: { kind: rpi, address: 127.0.3.${i + 1}, power: bad-${i}/${entry.outlet} }\n`,
  );
  machines.push(`  rpi-good: { kind: rpi, address: 127.0.4.1, power: good/${good.outlet} }\n`);
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
logins:
  any: { username: any, password: password, legacySsh: true, snmp: { version: 2, community: community } }
equipment:
${bad.join('\n')}
${good.entry}
${good.outlet ? `machines:\n${machines.join('')}` : ''}services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  router-backup: { jitterSeconds: 0 }
`;
}

async function healthyPdu(): Promise<Healthy> {
  const pdu = untilTestEnds(await startApcRpdu({ outlets: 8, writeCommunity: 'community' }));
  const changes: boolean[] = [];
  pdu.board.on('change', ({ on }) => changes.push(on));
  return {
    entry: `  good: { model: apc-rpdu, outlets: 8, address: 127.0.0.1, ports: { snmp: ${pdu.port} }, login: any }`,
    outlet: '1',
    async use({ url: baseUrl }, { token, isOver, hasBegun }) {
      const client = createClient(powerCycleDaemonApi, { baseUrl, token, timeoutMs: patienceMs });
      const about = { reason: 'it hangs', offSeconds: 0.5, ignoreLimits: true };
      const cycle = (machine: string) =>
        client.requestCycles({ body: { machines: [machine], ...about } });
      void cycle('rpi-0').catch(() => undefined);
      await hasBegun;
      const cycled = cycle('rpi-good').catch((error: unknown) => {
        if (!isOver()) throw error;
      });
      const isOnAgain = () => isOver() || changes.at(-1) === true;
      await expect.poll(isOnAgain).toBe(true);
      await cycled;
    },
  };
}

async function healthySwitch(): Promise<Healthy> {
  const device = untilTestEnds(
    await startEdgeSwitch({ username: 'any', password: 'password', ports: 4 }),
  );
  return {
    entry: `  good: { model: edgeswitch, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: any }`,
    async use({ url: baseUrl }, { token, isOver, hasBegun }) {
      const client = createClient(routerBackupApi, { baseUrl, token, timeoutMs: patienceMs });
      void client.connectedHosts({ params: { equipment: 'bad-0' } }).catch(() => undefined);
      await hasBegun;
      const since = new Date().toISOString();
      await client.requestBackup({ body: { equipment: ['good'] } }).catch((error: unknown) => {
        if (!isOver()) throw error;
      });
      const isBackedUp = async () => {
        const { equipment } = await client
          .allEquipment({ query: {} })
          .catch(() => ({ equipment: [] }));
        const good = equipment.find((each) => each.name === 'good');
        return isOver() || (good?.lastSuccess ?? '') >= since;
      };
      await expect.poll(isBackedUp, { interval: 300 }).toBe(true);
    },
  };
}

/** Requests `/healthz` ten times a second; the answer ends that. */
function watchHealth({ metricsUrl, child }: ServiceProcess): () => Promise<Outcome['health']> {
  const taken: number[] = [];
  let failed = 0;
  const requests = new Set<Promise<void>>();
  async function ask(): Promise<void> {
    const began = performance.now();
    try {
      const [response] = await once(
        request(`${metricsUrl}/healthz`, { agent: false }).end(),
        'response',
      );
      response.resume();
      taken.push(performance.now() - began);
    } catch {
      failed += 1;
    }
  }
  const timer = setInterval(() => {
    if (child.exitCode === null && child.signalCode === null) requests.add(ask());
  }, 100);
  return async () => {
    clearInterval(timer);
    await Promise.all(requests);
    taken.sort((a, b) => a - b);
    const at = (part: number) =>
      Math.round(taken[Math.floor((taken.length - 1) * part)] ?? Number.NaN);
    return { failed, p99: at(0.99), worst: at(1) };
  };
}

/** Until the end of the test. */
async function startHostileDevice(
  about: Attack,
): Promise<{ port: number; attacks: Promise<void>; child: ChildProcess }> {
  const program = new URL('../../../simulators/src/hostile/device.ts', import.meta.url);
  const child = startAttacker(program, about);
  const lines = createInterface({ input: child.stdout });
  const [port] = await once(lines, 'line');
  const attacks = once(lines, 'line');
  return { port: Number(port), attacks: attacks.then(() => undefined), child };
}
