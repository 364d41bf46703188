/** `npm run bench -w services/machine-state [-- --json] [-- --only NAME]` */
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Measurement,
  median,
  memoryOf,
  percentile,
  runBenches,
  startServer,
  writtenBytes,
} from '@skolo/bench';
import { newToken } from '@skolo/common';
import { pageBenches } from './page.ts';
import { type PastOptions, writePast } from './past.ts';
import {
  bench,
  changeMs,
  inFolder,
  machines,
  measuredSeconds,
  never,
  share,
  startAgents,
  timesOf,
  withService,
  withSilentRack,
} from './rig.ts';

const mebibyte = 2 ** 20;
const writtenSeconds = 1200;
const past: PastOptions = { days: 90, machines, tasks: 60, conditions: 6 };

/** Share of a core while all agents change; compared with a server that they push to, and that only keeps the last status. */
const load = bench('agents-cpu', '% of a core', async (folder) => {
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
});

const memory = bench('memory', 'MiB', (folder) =>
  withService(folder, changeMs, ({ pid }) => memoryLater(pid)),
);
const memorySilent = bench('memory-silent', 'MiB', (folder) =>
  withSilentRack(folder, ({ pid }) => memoryLater(pid)),
);

async function memoryLater(pid: number): Promise<Measurement> {
  await sleep(2 * measuredSeconds * 1000);
  return memoryOf(pid);
}

/** While every agent begins or ends a task each minute; compared with racks in which only readings change, and in which nothing does. */
const written = bench('written-per-day', 'MiB', async () => {
  const ofRack = (everyMs: number) =>
    inFolder((folder) => withService(folder, everyMs, ({ pid }) => perDay(pid)));
  const [figure = 0, readings = 0, nothing = 0] = await Promise.all(
    [changeMs, never, 0].map(ofRack),
  );
  return { figure, against: { readings, nothing } };
});

const list = bench('list', 'ms', (folder) =>
  withService(folder, changeMs, async ({ url }) => ({
    figure: median(await timesOf(50, () => fetch(`${url}/v1/machines`))),
  })),
);

/** A machine's last day, with its curves, from a full history; the slowest of twenty. */
const lastDay = bench('last-day', 'ms', async (folder) => {
  await writeHistory(folder);
  return withService(folder, changeMs, async ({ url }) => {
    const of = (i: number) => `${url}/v1/machines/${machines[i * 7]}`;
    const days = await timesOf(40, (i) => fetch(`${of(i)}/history`));
    const curves = await timesOf(40, (i) => fetch(`${of(i)}/curves`));
    return { figure: percentile(days, 95), against: { curves: percentile(curves, 95) } };
  });
});

/** From a full history; compared with the delay of another request meanwhile, for nineteen of twenty. */
const downtime = bench('downtime-month', 'ms', async (folder) => {
  await writeHistory(folder);
  return withService(folder, changeMs, async ({ url }) => {
    const small = () => fetch(`${url}/v1/machines/${machines[0]}`);
    await timesOf(20, small);
    const others: number[] = [];
    const times = await timesOf(5, async () => {
      let isDone = false;
      const answer = fetch(`${url}/v1/downtime?days=30`).finally(() => {
        isDone = true;
      });
      while (!isDone) others.push(...(await timesOf(1, small)));
      return answer;
    });
    const other = percentile(others, 95);
    return { figure: median(times), against: { 'another request': other } };
  });
});

/**
 * A maintenance of one machine, until it is acknowledged; the slowest of a hundred. Compared with the three file syncs that it waits for.
 */
const order = bench('order', 'ms', async (folder) => {
  const who = { name: 'bench', role: 'operate', expiresInDays: 1 } as const;
  const token = await newToken(join(folder, 'tokens.yaml'), who);
  return withService(folder, changeMs, async ({ url }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const syncs: number[] = [];
    const times = await timesOf(100, async (i) => {
      syncs.push(await threeSyncs(join(folder, 'synced')));
      const order = { machines: [machines[i]], kind: 'maintenance', reason: 'bench' };
      const body = JSON.stringify(order);
      return fetch(`${url}/v1/orders`, { method: 'POST', headers, body });
    });
    return { figure: Math.max(...times), against: { 'three syncs': Math.max(...syncs) } };
  });
});

/** 90 days of 300 machines, with 60 tasks and 6 changes of condition a day each. */
const size = bench('history-size', 'MiB', async (folder) => {
  const stateDir = await writeHistory(folder);
  const files = await readdir(stateDir);
  const sizes = await Promise.all(files.map((name) => stat(join(stateDir, name))));
  return { figure: sizes.reduce((sum, each) => sum + each.size, 0) / mebibyte };
});

process.exitCode = await runBenches(
  [load, memory, memorySilent, written, list, lastDay, downtime, order, size, ...pageBenches],
  process.argv.slice(2),
);

/** Readings are written every ten minutes. */
async function perDay(pid: number): Promise<number> {
  await sleep(60_000);
  const before = writtenBytes(pid);
  await sleep(writtenSeconds * 1000);
  return ((writtenBytes(pid) - before) / mebibyte / writtenSeconds) * 86_400;
}

async function threeSyncs(path: string): Promise<number> {
  const file = await open(path, 'a');
  const begun = performance.now();
  for (let i = 0; i < 3; i += 1) {
    await file.write('x'.repeat(200));
    await file.datasync();
  }
  await file.close();
  return performance.now() - begun;
}

async function writeHistory(folder: string): Promise<string> {
  const stateDir = join(folder, 'state');
  await mkdir(stateDir, { recursive: true });
  writePast(stateDir, Date.now(), past);
  return stateDir;
}
