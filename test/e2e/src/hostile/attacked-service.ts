/** A service as it ships, in a cgroup with the memory of its deployment, beside hostile devices and a healthy one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient, powerCycleDaemonApi, routerBackupApi } from '@skolo/api';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { bundleOf } from '@skolo/bench';
import { type ServiceProcess, startServiceProcess } from '@skolo/common/testing/own-process';
import { type Attack, startApcRpdu, startEdgeSwitch } from '@skolo/simulators';
import { expect, onTestFinished } from 'vitest';
import { bundles } from '../../../../scripts/bundle/bundles.mjs';
import { limitMemory, memoryOf } from '../connections/memory-limit.ts';
import { operatorToken } from '../service-process.ts';

export type AttackedService = 'power-cycle-daemon' | 'router-backup';

/** How a device of each transport stands in rack.yaml, and the outlet of a machine. */
const entries: Readonly<
  Record<Attack['transport'], { entry: string; port: string; outlet: string }>
> = {
  ssh: { entry: 'model: edgeswitch, portCount: 8', port: 'ssh', outlet: '1' },
  telnet: {
    entry: 'model: edgeswitch, portCount: 8, transport: telnet',
    port: 'telnet',
    outlet: '1',
  },
  exec: { entry: 'model: mpower, outlets: 6', port: 'ssh', outlet: '1' },
  http: { entry: 'model: shelly-gen2', port: 'http', outlet: '0' },
  snmp: { entry: 'model: snmp-poe, portCount: 8', port: 'snmp', outlet: '1' },
  mqtt: { entry: 'model: mqtt-switch, outlets: 1, topic: plug', port: 'mqtt', outlet: '1' },
};
/** Time limit for a request of `/healthz`. Other work on the computer delays it, too. */
const healthMs = 10_000;

/** Of one attack. `entry` replaces the device's keys in rack.yaml. */
export type Attacker = Attack & { entry?: string };

interface Outcome {
  /** Undefined: it has not exited. */
  exited: number | string | undefined;
  /** Part of its limit. */
  peak: number;
  /** Milliseconds. */
  health: { failed: number; p99: number; worst: number };
}

/**
 * Attacks it until the healthy device was switched or backed up, and for `seconds`.
 *
 * @returns undefined if no cgroup with a limit can be created
 */
export async function attack(
  name: AttackedService,
  attackers: readonly Attacker[],
  seconds: number,
): Promise<Outcome | undefined> {
  const limit = limitMemory(`${name}-attacked`, memoryOf(name));
  if (limit === undefined) return undefined;
  onTestFinished(() => limit.remove());
  const dir = await tempDir();
  const { rack, healthy } = await rackOf(name, attackers, dir);
  await writeFile(join(dir, 'rack.yaml'), rack);
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
  const end = performance.now() + seconds * 1000;
  await healthy(service, token, () => exited !== undefined);
  await expect
    .poll(() => exited !== undefined || performance.now() > end, { timeout: seconds * 2000 })
    .toBe(true);
  return { exited, peak: limit.most() / limit.limit, health: await health() };
}

type Healthy = (service: ServiceProcess, token: string, isOver: () => boolean) => Promise<void>;

async function rackOf(
  name: AttackedService,
  attackers: readonly Attacker[],
  dir: string,
): Promise<{ rack: string; healthy: Healthy }> {
  for (const secret of ['password', 'community']) {
    await writeFile(join(dir, secret), secret, { mode: 0o600 });
  }
  const isPower = name === 'power-cycle-daemon';
  const devices: string[] = [];
  const machines: string[] = [];
  for (const [i, { entry, ...about }] of attackers.entries()) {
    const { transport } = about;
    const usual = entries[transport];
    const port = await startHostileDevice(about);
    const ports = `ports: { ${usual.port}: ${port} }`;
    devices.push(
      `  bad-${i}: { ${entry ?? usual.entry}, address: 127.0.0.1, ${ports}, login: any }`,
    );
    machines.push(
      `  rpi-${i}: { kind: rpi, address: 127.0.3.${i + 1}, power: bad-${i}/${usual.outlet} }`,
    );
  }
  const { entry, power, healthy } = isPower ? await healthyPdu() : await healthySwitch();
  return {
    healthy,
    rack: `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
logins:
  any: { username: any, password: password, legacySsh: true, snmp: { version: 2, community: community } }
infrastructure:
${[...devices, entry].join('\n')}
machines:
${(isPower ? [...machines, `  rpi-good: { kind: rpi, address: 127.0.4.1, power: ${power} }`] : ['  {}']).join('\n')}
services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  router-backup: { jitterSeconds: 0 }
`,
  };
}

async function healthyPdu() {
  const pdu = untilTestEnds(await startApcRpdu({ outlets: 8, writeCommunity: 'community' }));
  const changes: boolean[] = [];
  pdu.board.on('change', ({ on }) => changes.push(on));
  const healthy: Healthy = async ({ url: baseUrl }, token, isOver) => {
    const client = createClient(powerCycleDaemonApi, { baseUrl, token, timeoutMs: 60_000 });
    const body = {
      machines: ['rpi-good'],
      reason: 'it hangs',
      offSeconds: 0.5,
      ignoreLimits: true,
    };
    await client.requestCycles({ body }).catch((error: unknown) => {
      if (!isOver()) throw error;
    });
    const isOnAgain = () => isOver() || changes.at(-1) === true;
    await expect.poll(isOnAgain, { timeout: 60_000 }).toBe(true);
  };
  const entry = `  good: { model: apc-rpdu, outlets: 8, address: 127.0.0.1, ports: { snmp: ${pdu.port} }, login: any }`;
  return { entry, power: 'good/1', healthy };
}

async function healthySwitch() {
  const device = untilTestEnds(
    await startEdgeSwitch({ username: 'any', password: 'password', ports: 4 }),
  );
  const healthy: Healthy = async ({ url: baseUrl }, token, isOver) => {
    const client = createClient(routerBackupApi, { baseUrl, token, timeoutMs: 60_000 });
    const isBackedUp = async () => {
      const { devices } = await client.devices().catch(() => ({ devices: [] }));
      return (
        isOver() || devices.some((each) => each.name === 'good' && each.lastSuccess !== undefined)
      );
    };
    await expect.poll(isBackedUp, { timeout: 60_000, interval: 300 }).toBe(true);
  };
  const entry = `  good: { model: edgeswitch, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: any }`;
  return { entry, power: '', healthy };
}

/** Requests `/healthz` ten times a second; the answer ends that. */
function watchHealth({ metricsUrl, child }: ServiceProcess): () => Promise<Outcome['health']> {
  const taken: number[] = [];
  let failed = 0;
  const requests = new Set<Promise<void>>();
  async function ask(): Promise<void> {
    const began = performance.now();
    try {
      const signal = AbortSignal.timeout(healthMs);
      const [response] = await once(
        request(`${metricsUrl}/healthz`, { agent: false, signal }).end(),
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

/** Until the end of the test. Returns its port. */
async function startHostileDevice(about: Attack): Promise<number> {
  const program = fileURLToPath(
    new URL('../../../simulators/src/hostile/device.ts', import.meta.url),
  );
  const child = spawn(process.execPath, [program, JSON.stringify(about)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [port] = await once(createInterface({ input: child.stdout }), 'line');
  return Number(port);
}
