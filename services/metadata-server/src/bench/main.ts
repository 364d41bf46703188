/** `npm run bench -w services/metadata-server [-- --json] [-- --only NAME]` */

import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import {
  higher,
  inRounds,
  lower,
  median,
  memoryOf,
  residentMemory,
  runBenches,
  type ServerProcess,
  startServer,
  wrk,
} from '@skolo/bench';
import { token } from './peers/answer.ts';
import { type BenchRack, benchRack, rackYaml } from './rack.ts';

const headers = { 'Metadata-Flavor': 'Google' };
const bots = 2000;
const watchers = 400;

/** The rate of token answers over 50 connections, compared with servers that do nothing else. */
const tokenRate = higher('token', '1/s', () =>
  withRack(async (rack) => {
    const ours = await rack.start();
    const nodeHttp = await peer('node-http');
    const express = await peer('express');
    try {
      const { figure, ...against } = await inRounds(5, {
        figure: () => requestRate(ours.port),
        'node-http': () => requestRate(nodeHttp.port),
        express: () => requestRate(express.port),
      });
      return { figure, against };
    } finally {
      await Promise.all([ours, nodeHttp, express].map((server) => server.stop()));
    }
  }),
);

/** 99th percentile of the latency under that load. */
const tokenP99 = lower('token-p99', 'ms', () =>
  withServer(async ({ port }) => {
    const { figure } = await inRounds(3, { figure: () => slowest(port) });
    return { figure };
  }),
);

/** The same while the rack is connected: bots' idle connections, and requests that wait for a change. */
const tokenP99Held = lower('token-p99-held', 'ms', () =>
  withServer(async ({ port, metricsPort }) => {
    const held = await hold(port);
    try {
      await everyoneWaits(metricsPort);
      const { figure } = await inRounds(3, { figure: () => slowest(port) });
      return { figure };
    } finally {
      held.letGo();
    }
  }),
);

/** From the first to the last of 400 answers when rack.yaml changes what they wait for. */
const watchersWake = lower('watchers-wake', 'ms', () =>
  withRack(async (rack) => {
    const server = await rack.start();
    const held = await hold(server.port);
    try {
      await everyoneWaits(server.metricsPort);
      await writeFile(rack.rackFile, rackYaml.replace('project: my-project', 'project: other'));
      const answered = await Promise.all(held.watches);
      return { figure: Math.max(...answered) - Math.min(...answered) };
    } finally {
      held.letGo();
      await server.stop();
    }
  }),
);

const memoryIdle = lower('memory-idle', 'MiB', () =>
  withServer(async ({ pid, port }) => {
    await ask(port);
    await pause(20_000);
    return memoryOf(pid);
  }),
);

/** Compared with the memory after the first 100,000 requests. Includes garbage that is not collected yet. */
const memoryAfterMillion = lower('memory-after-million', 'MiB', () =>
  withServer(async ({ pid, port }) => {
    await requests(port, 100_000);
    const early = residentMemory(pid);
    await requests(port, 1_000_000);
    return { figure: residentMemory(pid), against: { 'after-100k': early } };
  }),
);

/** The same after a collection: growth here is a leak. */
const heapAfterMillion = lower('heap-after-million', 'MiB', () =>
  withRack(async (rack) => {
    const collector = join(import.meta.dirname, 'collect-on-signal.ts');
    const server = await rack.start(['--expose-gc', '--import', collector]);
    try {
      await requests(server.port, 100_000);
      const early = await liveHeap(server);
      await requests(server.port, 1_000_000);
      return { figure: await liveHeap(server), against: { 'after-100k': early } };
    } finally {
      await server.stop();
    }
  }),
);

/** From process start to the first token answered, including one upstream call. */
const firstAnswer = lower('first-answer', 'ms', () =>
  withRack(async (rack) => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      const server = await rack.start();
      await ask(server.port);
      times.push(performance.now() - started);
      await server.stop();
    }
    return { figure: median(times) };
  }),
);

/** The upstream calls of 300 bots that all request their first token at the same time. */
const upstreamCalls = lower('upstream-calls', 'calls', () =>
  withRack(async (rack) => {
    const wait = rack.relay.inject({ effect: 'wait' });
    const server = await rack.start();
    const asking = Array.from({ length: 300 }, (_, i) =>
      ask(server.port, token.path, { from: machine(i) }),
    );
    await wait.struck();
    wait.end();
    await Promise.all(asking);
    await server.stop();
    return { figure: rack.google.calls.length };
  }),
);

async function withRack<T>(measure: (rack: BenchRack) => Promise<T>): Promise<T> {
  const rack = await benchRack();
  try {
    return await measure(rack);
  } finally {
    await rack.remove();
  }
}

function withServer<T>(
  measure: (server: Awaited<ReturnType<BenchRack['start']>>) => Promise<T>,
): Promise<T> {
  return withRack(async (rack) => {
    const server = await rack.start();
    try {
      await ask(server.port);
      return await measure(server);
    } finally {
      await server.stop();
    }
  });
}

async function peer(name: string): Promise<ServerProcess & { port: number }> {
  const file = join(import.meta.dirname, `peers/${name}.ts`);
  const server = await startServer({
    command: [process.execPath, file],
    ready: /^listening (?<port>\d+)$/,
  });
  return { ...server, port: Number(server.groups.port) };
}

function load(port: number, seconds: number) {
  return wrk({ url: `http://127.0.0.1:${port}${token.path}`, connections: 50, seconds, headers });
}

async function requestRate(port: number): Promise<number> {
  return (await load(port, 4)).requestsPerSecond;
}

async function slowest(port: number): Promise<number> {
  return (await load(port, 4)).latency.p99;
}

async function requests(port: number, count: number): Promise<void> {
  let done = 0;
  while (done < count) done += (await load(port, 3)).requests;
}

/** MiB, immediately after a collection. */
async function liveHeap({
  pid,
  metricsPort,
}: {
  pid: number;
  metricsPort: number;
}): Promise<number> {
  process.kill(pid, 'SIGUSR2');
  const metrics = await ask(metricsPort, '/metrics');
  return Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(metrics)?.[1]) / 2 ** 20;
}

/** One 200 answer; retried while the server returns 503. */
async function ask(
  port: number,
  path = token.path,
  { agent = new Agent(), from = '127.0.0.1' } = {},
): Promise<string> {
  for (;;) {
    const { status, body } = await new Promise<{ status: number; body: string }>(
      (resolve, reject) => {
        get({ host: '127.0.0.1', localAddress: from, port, path, headers, agent }, (response) => {
          let received = '';
          response.on('data', (chunk) => {
            received += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: received }));
        }).on('error', reject);
      },
    );
    if (status === 200) return body;
    if (status !== 503) throw new Error(`${path}: ${status}`);
  }
}

/** The rack's machine addresses in rotation: connections per address are limited. */
function machine(i: number): string {
  return `127.0.1.${1 + (i % 200)}`;
}

/** Bots that stay connected after one token each, and requests that wait for a change. */
async function hold(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: bots, maxFreeSockets: bots });
  await Promise.all(
    Array.from({ length: bots }, (_, i) => ask(port, token.path, { agent, from: machine(i) })),
  );
  const waiting = new Agent({ keepAlive: true });
  const path = '/computeMetadata/v1/?recursive=true&wait_for_change=true&timeout_sec=3600';
  const watches = Array.from({ length: watchers }, async (_, i) => {
    await ask(port, path, { agent: waiting, from: machine(i) });
    return performance.now();
  });
  for (const watch of watches) watch.catch(() => undefined);
  return {
    watches,
    letGo() {
      agent.destroy();
      waiting.destroy();
    },
  };
}

async function everyoneWaits(metricsPort: number): Promise<void> {
  while (!(await ask(metricsPort, '/metrics')).includes(`skolo_metadata_watchers ${watchers}\n`));
}

process.exitCode = await runBenches(
  [
    tokenRate,
    tokenP99,
    tokenP99Held,
    watchersWake,
    memoryIdle,
    memoryAfterMillion,
    heapAfterMillion,
    firstAnswer,
    upstreamCalls,
  ],
  process.argv.slice(2),
);
