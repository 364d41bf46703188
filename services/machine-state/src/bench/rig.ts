/** What the benches measure: the service as shipped, with 300 agents. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bench,
  lower,
  type Measurement,
  type ServerProcess,
  startServer,
  startService,
} from '@skolo/bench';
import { processorSeconds } from './processor-time.ts';

export const machines = Array.from(
  { length: 300 },
  (_, i) => `m-${String(i + 1).padStart(3, '0')}`,
);
/** How often each agent begins or ends a task: five changes per second in the rack. */
export const changeMs = 60_000;
/** Only readings change. */
export const never = 2 ** 30;
export const measuredSeconds = 60;

/** In a folder of its own; lower figures are better. */
export function bench(
  name: string,
  unit: string,
  measure: (folder: string) => Promise<Measurement>,
): Bench {
  return lower(name, unit, () => inFolder(measure));
}

interface Running {
  pid: number;
  url: string;
}

/** @param everyMs between two changes of an agent */
export async function withService<T>(
  folder: string,
  everyMs: number,
  work: (service: Running) => Promise<T>,
): Promise<T> {
  const agents = await startAgents(everyMs);
  const service = await startWith(folder, JSON.parse(agents.groups.ports ?? '[]') as number[]);
  try {
    await untilAllReported(service.url);
    return await work(service);
  } finally {
    await service.stop();
    await agents.stop();
  }
}

/** The service in a rack in which no machine responds. */
export async function withSilentRack<T>(
  folder: string,
  work: (service: Running) => Promise<T>,
): Promise<T> {
  const service = await startWith(folder, []);
  try {
    return await work(service);
  } finally {
    await service.stop();
  }
}

async function startWith(folder: string, ports: readonly number[]) {
  const rackFile = join(folder, 'rack.yaml');
  await writeFile(rackFile, rackYaml(ports));
  const stateDir = join(folder, 'state');
  await mkdir(stateDir, { recursive: true });
  const service = await startService('machine-state', { rackFile, stateDir });
  return { ...service, url: `http://127.0.0.1:${service.port}` };
}

export function startAgents(everyMs: number, pushTo?: string): Promise<ServerProcess> {
  const script = join(import.meta.dirname, 'agents.ts');
  const more = pushTo === undefined ? [] : [pushTo];
  return startServer({
    command: [process.execPath, script, `${machines.length}`, `${everyMs}`, ...more],
    ready: /"listening":(?<ports>\[[\d,]*\])/,
  });
}

/** Of a core, in percent. */
export async function share(pid: number): Promise<number> {
  // Until each agent has changed once, and to exclude compilation at the service's start.
  await sleep(changeMs);
  const before = processorSeconds(pid);
  await sleep(measuredSeconds * 1000);
  return ((processorSeconds(pid) - before) / measuredSeconds) * 100;
}

/** How long each request takes, in milliseconds. */
export async function timesOf(
  count: number,
  request: (i: number) => Promise<Response>,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const begun = performance.now();
    const response = await request(i);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    times.push(performance.now() - begun);
  }
  return times;
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-machine-state-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilAllReported(url: string): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${url}/v1/machines`)).text();
    if (!text.includes('never-reported')) return;
    await sleep(200);
  }
}

function rackYaml(ports: readonly number[]): string {
  const entries = machines.map((name, i) => {
    const url = `http://127.0.0.1:${ports[i] ?? 2}`;
    const address = `127.0.${1 + Math.floor(i / 200)}.${1 + (i % 200)}`;
    return `  ${name}: { kind: rpi, address: ${address}, device: { kind: android }, swarming: { url: "${url}" } }\n`;
  });
  const nowhere = '{ url: "http://127.0.0.1:2", metricsUrl: "http://127.0.0.1:2" }';
  return `rack: bench
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.8 }
access: { anonymousRead: [127.0.0.0/8], tokens: { file: tokens.yaml } }
machines:
${entries.join('')}services:
  metadata-server: ${nowhere}
  power-cycle-daemon: ${nowhere}
  router-backup: ${nowhere}
  alert-to-pubsub: ${nowhere}
  machine-state: { alertmanager: none }
`;
}
