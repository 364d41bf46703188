/** `npm run bench -w services/machine-state [-- --json] [-- --only NAME]` */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bench,
  median,
  percentile,
  residentMemory,
  runBenches,
  type ServerProcess,
  startServer,
  startService,
  writtenBytes,
} from '@skolo/bench';
import { type PastOptions, writePast } from './past.ts';
import { processorSeconds } from './processor-time.ts';

const machines = Array.from({ length: 300 }, (_, i) => `m-${String(i + 1).padStart(3, '0')}`);
/** Each agent begins or ends a task so often: five changes a second in the rack. */
const changeMs = 60_000;
const measuredSeconds = 60;
const mebibyte = 2 ** 20;
const past: PastOptions = { days: 90, machines, tasks: 60, conditions: 6 };

/** Share of a core while all agents change; against a server that they push to, and that only keeps the last status. */
const load: Bench = {
  name: 'agents-cpu',
  unit: '%',
  better: 'lower',
  measure: () =>
    inFolder(async (folder) => {
      const figure = await withService(folder, changeMs, (service) => share(service.pid));
      const server = await startServer({
        command: [process.execPath, join(import.meta.dirname, 'push-server.ts')],
        ready: /"listening":(?<port>\d+)/,
      });
      const url = `http://127.0.0.1:${server.groups.port}`;
      const agents = await startAgents(changeMs, url);
      try {
        return { figure, against: { push: await share(server.pid) } };
      } finally {
        await Promise.all([agents.stop(), server.stop()]);
      }
    }),
};

const memory: Bench = {
  name: 'memory',
  unit: 'MiB',
  better: 'lower',
  measure: () =>
    inFolder((folder) =>
      withService(folder, changeMs, async ({ pid }) => {
        await sleep(measuredSeconds * 1000);
        return { figure: residentMemory(pid) };
      }),
    ),
};

/** While every agent begins or ends a task each minute; against a rack in which nothing but readings changes. */
const written: Bench = {
  name: 'written-per-day',
  unit: 'MiB',
  better: 'lower',
  measure: () =>
    inFolder(async (folder) => {
      const figure = await withService(folder, changeMs, ({ pid }) => perDay(pid));
      const idle = await inFolder((other) => withService(other, 2 ** 30, ({ pid }) => perDay(pid)));
      return { figure, against: { idle } };
    }),
};

const list: Bench = {
  name: 'list',
  unit: 'ms',
  better: 'lower',
  measure: () =>
    inFolder((folder) =>
      withService(folder, changeMs, async ({ url }) => ({
        figure: median(await timesOf(50, () => `${url}/v1/machines`)),
      })),
    ),
};

/** The last day of a machine, and its curves, of a full history; the slowest of twenty. */
const lastDay: Bench = {
  name: 'last-day',
  unit: 'ms',
  better: 'lower',
  measure: () =>
    inFolder(async (folder) => {
      await writeHistory(folder);
      return withService(folder, undefined, async ({ url }) => {
        const of = (i: number) => `${url}/v1/machines/${machines[i * 7]}`;
        const days = await timesOf(40, (i) => `${of(i)}/history`);
        const curves = await timesOf(40, (i) => `${of(i)}/curves`);
        return { figure: percentile(days, 95), against: { curves: percentile(curves, 95) } };
      });
    }),
};

const sickest: Bench = {
  name: 'sickest-month',
  unit: 'ms',
  better: 'lower',
  measure: () =>
    inFolder(async (folder) => {
      await writeHistory(folder);
      return withService(folder, undefined, async ({ url }) => ({
        figure: median(await timesOf(5, () => `${url}/v1/sickest?days=30`)),
      }));
    }),
};

/** 90 days of 300 machines, with 60 tasks and 6 changes of condition a day each. */
const size: Bench = {
  name: 'history-size',
  unit: 'MiB',
  better: 'lower',
  measure: () =>
    inFolder(async (folder) => {
      const stateDir = await writeHistory(folder);
      const files = await readdir(stateDir);
      const sizes = await Promise.all(files.map((name) => stat(join(stateDir, name))));
      return { figure: sizes.reduce((sum, each) => sum + each.size, 0) / mebibyte };
    }),
};

process.exitCode = await runBenches(
  [load, memory, written, list, lastDay, sickest, size],
  process.argv.slice(2),
);

async function withService<T>(
  folder: string,
  everyMs: number | undefined,
  work: (service: { pid: number; url: string }) => Promise<T>,
): Promise<T> {
  const agents = everyMs === undefined ? undefined : await startAgents(everyMs);
  const ports = JSON.parse(agents?.groups.ports ?? '[]') as number[];
  const rackFile = join(folder, 'rack.yaml');
  await writeFile(rackFile, rackYaml(ports));
  const stateDir = join(folder, 'state');
  await mkdir(stateDir, { recursive: true });
  const service = await startService('machine-state', { rackFile, stateDir });
  const url = `http://127.0.0.1:${service.port}`;
  try {
    if (agents !== undefined) await untilAllReported(url);
    return await work({ pid: service.pid, url });
  } finally {
    await service.stop();
    await agents?.stop();
  }
}

/** Of a core, in percent. */
async function share(pid: number): Promise<number> {
  // What is compiled while it starts is not of this load.
  await sleep(10_000);
  const before = processorSeconds(pid);
  await sleep(measuredSeconds * 1000);
  return ((processorSeconds(pid) - before) / measuredSeconds) * 100;
}

async function perDay(pid: number): Promise<number> {
  await sleep(20_000);
  const before = writtenBytes(pid);
  await sleep(measuredSeconds * 1000);
  return ((writtenBytes(pid) - before) / mebibyte / measuredSeconds) * 86_400;
}

async function timesOf(count: number, url: (i: number) => string): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const begun = performance.now();
    const response = await fetch(url(i));
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    times.push(performance.now() - begun);
  }
  return times;
}

function startAgents(everyMs: number, pushTo?: string): Promise<ServerProcess> {
  const script = join(import.meta.dirname, 'agents.ts');
  const more = pushTo === undefined ? [] : [pushTo];
  return startServer({
    command: [process.execPath, script, `${machines.length}`, `${everyMs}`, ...more],
    ready: /"listening":(?<ports>\[[\d,]*\])/,
  });
}

async function untilAllReported(url: string): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${url}/v1/machines`)).text();
    if (!text.includes('never-reported')) return;
    await sleep(200);
  }
}

async function writeHistory(folder: string): Promise<string> {
  const stateDir = join(folder, 'state');
  await mkdir(stateDir, { recursive: true });
  writePast(stateDir, Date.now(), past);
  return stateDir;
}

function rackYaml(ports: readonly number[]): string {
  const entries = machines.map((name, i) => {
    const url = `http://127.0.0.1:${ports[i] ?? 2}`;
    const address = `127.0.${1 + Math.floor(i / 200)}.${1 + (i % 200)}`;
    return `  ${name}: { kind: rpi, address: ${address}, swarming: { url: "${url}" } }\n`;
  });
  const nowhere = '{ url: "http://127.0.0.1:2", metricsUrl: "http://127.0.0.1:2" }';
  return `rack: bench
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.8 }
access: { anonymousRead: [127.0.0.0/8] }
machines:
${entries.join('')}services:
  metadata-server: ${nowhere}
  power-cycle-daemon: ${nowhere}
  router-backup: ${nowhere}
  alert-to-pubsub: ${nowhere}
  machine-state: { alertmanager: none }
`;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-machine-state-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
