/** `npm run bench -w services/alert-to-pubsub [-- --json] [-- --only NAME]` */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bench,
  beside,
  higher,
  inRounds,
  lower,
  type Measurement,
  memoryOf,
  peakMemory,
  residentMemory,
  runBenches,
  type ServerProcess,
  writtenBytes,
  wrk,
} from '@skolo/bench';
import { writeBacklog } from './backlog.ts';
import { alertmanager, firstAlert, ours } from './first-alert.ts';
import {
  inFolder,
  metric,
  startAlertmanager,
  startAlertToPubsub,
  startAppendServer,
  startPubSub,
} from './rack.ts';
import { alertScript, bytesScript } from './requests.ts';

/** Nothing is delivered, because the intake is measured: nothing listens on this port. */
const intakeOnly =
  '    pubsub: false\n    sinks: [{ name: away, kind: http, url: "http://127.0.0.1:1" }]';
/** The spool bytes of such an alert's transition. */
const recordBytes = 780;
/** A memory file system, where a sync is free. */
const memory = '/dev/shm';
/** An SD card's. */
const slowSyncMs = 100;
const connections = 64;

interface Load {
  /** Alerts per request. */
  batch: number;
  syncMs?: number;
  onAllCores?: boolean;
}

/** Requests of one alert, as Alertmanager sends them: each a transition, on the disk before it is answered. */
const intake = intakeBench('intake', { batch: 1 });
/** The same with requests of 64, as Prometheus sends them, and of 20, as Alertmanager sends a group. */
const intakeBatches = intakeBench('intake-batches', { batch: 64 });
const intakeGroups = intakeBench('intake-groups', { batch: 20 });
const intakeSlow = intakeBench('intake-slow-disk', { batch: 1, syncMs: slowSyncMs });

/** The load uses both cores, too. */
const intakeTwoCores = intakeBench('intake-two-cores', { batch: 1, onAllCores: true });

/**
 * Alerts per second, compared with the same service where a sync is free, with a server that only appends the same bytes, one that also
 * parses and writes JSON, and with Alertmanager, which keeps alerts in memory.
 */
function intakeBench(name: string, load: Load): Bench {
  return higher(name, '1/s', () =>
    inFolder((folder) => inFolder((volatile) => intakeIn(folder, volatile, load), memory)),
  );
}

async function intakeIn(folder: string, volatile: string, load: Load): Promise<Measurement> {
  const { batch, syncMs = 0, onAllCores = false } = load;
  const options = { settings: intakeOnly, onAllCores };
  const ours = await startAlertToPubsub(folder, { ...options, syncMs });
  const noSync = await startAlertToPubsub(volatile, {
    ...options,
    stateDir: join(volatile, 'state'),
  });
  const append = await startAppendServer(folder, { syncMs, onAllCores });
  const json = await startAppendServer(folder, { syncMs, onAllCores, format: 'json' });
  const alertmanager = await startAlertmanager(folder, { onAllCores });
  try {
    const alerts = await scriptFile(folder, 'alerts', alertScript(batch));
    const bytes = await scriptFile(folder, 'bytes', bytesScript(recordBytes * batch));
    const alertsTo = (server: ServerProcess) => alertRate(server, '/api/v2/alerts', alerts, load);
    const measures = {
      figure: () => alertsTo(ours),
      'no-fsync': () => alertsTo(noSync),
      fsync: () => alertRate(append, '/', bytes, load),
      json: () => alertRate(json, '/', alerts, load),
    };
    if (alertmanager === undefined) {
      const { figure, ...against } = await inRounds(3, measures);
      return { figure, against, notRun: { alertmanager: 'Debian: prometheus-alertmanager' } };
    }
    const { figure, ...against } = await inRounds(3, {
      ...measures,
      alertmanager: () => alertsTo(alertmanager),
    });
    return { figure, against };
  } finally {
    const servers = [ours, noSync, append, json, alertmanager];
    await Promise.all(servers.map((server) => server?.stop()));
  }
}

async function alertRate(
  server: ServerProcess,
  path: string,
  script: string,
  { batch }: Load,
): Promise<number> {
  const url = `http://127.0.0.1:${server.groups.port}${path}`;
  const { requestsPerSecond } = await wrk({ url, connections, seconds: 4, script });
  return requestsPerSecond * batch;
}

async function scriptFile(folder: string, name: string, script: string): Promise<string> {
  const file = join(folder, `${name}.lua`);
  await writeFile(file, script);
  return file;
}

const intakeP99 = p99Bench('intake-p99', 0);
const intakeP99Slow = p99Bench('intake-p99-slow-disk', slowSyncMs);

/** 99th percentile of the latency, with as many connections as a rack has senders. */
function p99Bench(name: string, syncMs: number): Bench {
  return lower(name, 'ms', () =>
    inFolder(async (folder) => {
      const ours = await startAlertToPubsub(folder, { settings: intakeOnly, syncMs });
      try {
        const script = await scriptFile(folder, 'alerts', alertScript(1));
        const url = `http://127.0.0.1:${ours.groups.port}/api/v2/alerts`;
        const { latency } = await wrk({ url, connections: 8, seconds: 5, script });
        return { figure: latency.p99 };
      } finally {
        await ours.stop();
      }
    }),
  );
}

const backlog = 1_000_000;

/** Messages per second of a backlog of a million transitions, to a Pub/Sub in its own process. */
const drain = higher('drain', '1/s', () => withDrained(({ rate }) => rate));

/** Peak memory meanwhile. */
const drainMemory = lower('drain-memory', 'MiB', () => withDrained(({ peak }) => peak));

async function withDrained(figureOf: (found: { rate: number; peak: number }) => number) {
  return await inFolder(async (folder) => {
    const stateDir = join(folder, 'state');
    await writeBacklog(stateDir, backlog);
    const pubsub = await startPubSub();
    const settings = `    endpoint: 127.0.0.1:${pubsub.groups.port}\n    spool: { maxBytes: 4000000000 }`;
    const service = await startAlertToPubsub(folder, { settings, stateDir });
    try {
      const rate = await drained(service);
      return { figure: figureOf({ rate, peak: peakMemory(service.pid) }) };
    } finally {
      await service.stop();
      await pubsub.stop();
    }
  });
}

/** From the arrival of the first message to that of the last. */
async function drained(service: ServerProcess): Promise<number> {
  let first: { at: number; sent: number } | undefined;
  for (;;) {
    await sleep(200);
    const sent = await metric(service, 'skolo_alerts_published_total');
    const at = performance.now();
    if (sent > 0) first ??= { at, sent };
    if (first !== undefined && sent >= backlog) {
      return (sent - first.sent) / ((at - first.at) / 1000);
    }
  }
}

/** From the start of the process until an HTTP receiver has the first alert. */
const first = lower('first-alert', 's', () =>
  besideAlertmanager((start) => firstAlert(start, ({ seconds }) => seconds)),
);

/** Resident after that, once V8 has collected the garbage of the start, which takes up to 40 s. */
const firstMemory = lower('first-memory', 'MiB', () =>
  besideAlertmanager((start) =>
    firstAlert(start, async ({ pid }) => {
      await sleep(100_000);
      return residentMemory(pid);
    }),
  ),
);

async function besideAlertmanager(
  measure: (start: typeof ours) => Promise<number>,
): Promise<Measurement> {
  return await beside(await measure(ours), 'alertmanager', () => measure(alertmanager));
}

/** With heartbeats, and 20 firing alerts. */
const memoryIdle = lower('memory-idle', 'MiB', () =>
  withIdle(async (service) => {
    await sleep(20_000);
    return memoryOf(service.pid);
  }),
);

const idleMinutes = 3;

/** What it writes while 20 alerts fire, and Prometheus repeats them every minute. */
const idleWrites = lower('idle-writes', 'B/min', () =>
  withIdle(async (service) => {
    await sleep(70_000);
    const before = writtenBytes(service.pid);
    await sleep(idleMinutes * 60_000);
    return { figure: (writtenBytes(service.pid) - before) / idleMinutes };
  }),
);

async function withIdle(measure: (service: ServerProcess) => Promise<Measurement>) {
  return await inFolder(async (folder) => {
    const pubsub = await startPubSub();
    const settings = `    endpoint: 127.0.0.1:${pubsub.groups.port}`;
    const service = await startAlertToPubsub(folder, { settings });
    await postIdle(service);
    // A rejection ends the bench: what accepts no alerts writes nothing.
    const repeating = setInterval(() => void postIdle(service), 60_000);
    try {
      return await measure(service);
    } finally {
      clearInterval(repeating);
      await service.stop();
      await pubsub.stop();
    }
  });
}

async function postIdle({ groups }: ServerProcess): Promise<void> {
  const alerts = Array.from({ length: 20 }, (_, number) => ({
    labels: { alertname: 'BotMissing', instance: `rpi-${number}`, severity: 'critical' },
    annotations: { summary: `rpi-${number} is missing` },
    startsAt: '2026-11-20T07:00:00Z',
    endsAt: new Date(Date.now() + 240_000).toISOString(),
  }));
  const response = await fetch(`http://127.0.0.1:${groups.port}/api/v2/alerts`, {
    method: 'POST',
    body: JSON.stringify(alerts),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

process.exitCode = await runBenches(
  [
    intake,
    intakeBatches,
    intakeGroups,
    intakeSlow,
    intakeTwoCores,
    intakeP99,
    intakeP99Slow,
    drain,
    drainMemory,
    first,
    firstMemory,
    memoryIdle,
    idleWrites,
  ],
  process.argv.slice(2),
);
