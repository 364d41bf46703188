/** A power-cycle daemon for a test: a rack on loopback addresses, and devices in memory behind it. */

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ApiError,
  type Client,
  createClient,
  type PowerCycle,
  type Problem,
  powerCycleDaemonApi,
} from '@skolo/api';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { type Clock, createLogger, newToken, startService } from '@skolo/common';
import type { DriverKind } from '@skolo/equipment/models/outlets';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createPowerCycleDaemon, type PowerCycleDaemonDeps } from '../service.ts';
import { Boards } from './board-driver.ts';
import { waitUntil } from './wait-until.ts';

/** Reads back often and gives up early, because everything in memory responds immediately. */
const timing = {
  patience: { firstMs: 10, mostMs: 20, withinMs: 250 },
  backOff: { firstMs: 20, maxMs: 100 },
  // Answers come at once, or never; a computer that stalls receives them later.
  watch: { lookMs: 30_000, everyMs: 20, downMs: 20 },
  contactPauseMs: 20,
  drawMs: 500,
  retryMs: 50,
};

export interface DaemonOptions {
  /** rack.yaml from `equipment:` on. */
  yaml: string;
  settings?: string;
  cooldownSeconds?: number;
  maxPerHour?: number;
  /** More fields of the jumphost: `, power: pdu-1/8`. */
  jumphost?: string;
  boards?: Boards;
  drivers?: ReadonlyMap<string, DriverKind>;
  clock?: Clock;
  /** Before it starts. */
  prepare?: (stateDir: string) => Promise<void>;
  /** Of a stopped daemon, which this one continues. */
  previous?: TestDaemon;
  /** Whether to wait until the journal of a stopped daemon is open, which has it until its last work ends; default: yes. */
  awaitsJournal?: boolean;
  /** Seconds for work in progress when it is stopped; default: none. */
  stopWithin?: number;
  /** Milliseconds within which an outlet must show the effect of a command, for one behind a network; default: for one in memory. */
  patienceMs?: number;
  /** Milliseconds of a look at a machine, for a machine that is silent; default: as long as a computer may stall. */
  lookMs?: number;
  endpoints?: PowerCycleDaemonDeps['endpoints'];
  repair?: PowerCycleDaemonDeps['repair'];
  createUsbHub?: PowerCycleDaemonDeps['createUsbHub'];
}

export interface TestDaemon extends ReturnType<typeof requestsOf> {
  dir: string;
  stateDir: string;
  url: string;
  metricsUrl: string;
  client: Client<typeof powerCycleDaemonApi>;
  /** An operator, and their name. */
  token: string;
  who: string;
  boards: Boards;
  logged: () => Record<string, unknown>[];
  /** Replaces rack.yaml, as an editor does; fulfilled once it has been read. */
  edit: (yaml: string, settings?: string) => Promise<void>;
  metrics: () => Promise<string>;
  /** What `/readyz` reports, except pauses of this process. */
  degraded: () => Promise<{ what: string; why: string }[]>;
  stop: () => Promise<void>;
}

const readiness = z.object({
  degraded: z.array(z.object({ what: z.string(), why: z.string() })),
});

/** As long as tests wait for anything, in milliseconds. */
export const clientTimeoutMs = 900_000;

/** So short that a stop leaves cycles unfinished, as a crash does. */
const atOnce = 1;

/** Signs requests to agents: `agent-key` next to rack.yaml. */
export const testAgentKey = newAgentKey();

export function rackYaml(
  yaml: string,
  settings = '',
  cooldownSeconds = 0,
  jumphost = '',
  stopWithin = atOnce,
  maxPerHour = 60,
): string {
  return `rack: rack1
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost-rack1, address: 127.0.0.1${jumphost} }
access:
  tokens: { file: tokens.yaml }
  agents: { privateKey: agent-key, publicKey: ${agentPublicKey(testAgentKey)} }
  anonymousRead: [127.0.0.0/8]
${yaml}
services:
  power-cycle-daemon:
    cooldownSeconds: ${cooldownSeconds}
    maxPerHour: ${maxPerHour}
    staggerSeconds: 0
    stopWithin: ${stopWithin}
${settings.includes('taskCheckSeconds') ? '' : '    taskCheckSeconds: 60\n'}${settings}
`;
}

/** Models whose devices are boards: an EdgeSwitch that cycles by itself, a PDU that does not, one with its own time. */
export function boardDrivers(boards: Boards): ReadonlyMap<string, DriverKind> {
  return new Map([
    ['edgeswitch', boards.kind('edgeswitch', { least: 0.1, most: 60 })],
    ['apc-rpdu', boards.kind('apc-rpdu')],
    ['synaccess', boards.kind('synaccess', 'fixed')],
    ['redfish', boards.kind('redfish')],
  ]);
}

/** A device of each of these models, in rack.yaml. */
export const boardEquipment = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: synaccess, address: 127.0.2.3 }
`;

/** With machines on them: one on each device, one on both PDUs, several on one PDU. */
export const boardRack = `${boardEquipment}machines:
  a: { kind: rpi, power: switch-1/1, offSeconds: 0.5 }
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  c: { kind: host, power: [pdu-1/2, pdu-2/2], offSeconds: 0.5 }
  d: { kind: host, power: pdu-2/3 }
  e-[1-8]: { kind: host, power: 'pdu-1/[11-18]', offSeconds: 0.5 }
`;

function serviceOf(
  { drivers, endpoints, repair, createUsbHub, ...options }: DaemonOptions,
  boards: Boards,
) {
  const { patience, watch } = timing;
  const { patienceMs = patience.withinMs, lookMs = watch.lookMs } = options;
  return createPowerCycleDaemon({
    drivers: drivers ?? boardDrivers(boards),
    timing: {
      ...timing,
      patience: { ...patience, withinMs: patienceMs },
      watch: { ...watch, lookMs },
    },
    ...(endpoints && { endpoints }),
    ...(repair && { repair }),
    ...(createUsbHub && { createUsbHub }),
  });
}

export async function startDaemon(options: DaemonOptions): Promise<TestDaemon> {
  const { yaml, settings, cooldownSeconds, maxPerHour, previous, clock } = options;
  const boards = options.boards ?? previous?.boards ?? new Boards();
  const dir = previous?.dir ?? (await tempDir());
  const stateDir = join(dir, 'state');
  await mkdir(stateDir, { recursive: true });
  await options.prepare?.(stateDir);
  const rackFile = join(dir, 'rack.yaml');
  const write = async (text: string, changed = settings) => {
    await writeFile(
      join(dir, 'new.yaml'),
      rackYaml(text, changed, cooldownSeconds, options.jumphost, options.stopWithin, maxPerHour),
    );
    await rename(join(dir, 'new.yaml'), rackFile);
  };
  await writeFile(join(dir, 'agent-key'), testAgentKey.reveal(), { mode: 0o600 });
  await write(yaml);
  const who = previous?.who ?? `ann-${Math.random().toString(36).slice(2, 8)}`;
  const tokens = join(dir, 'tokens.yaml');
  const token =
    previous?.token ??
    (await newToken(tokens, { name: who, role: 'operate', expiresInDays: 3650 }));
  const { log, lines } = collectLog();
  const service = await startService(serviceOf(options, boards), {
    rackFile,
    stateDir,
    port: 0,
    metricsPort: 0,
    host: '127.0.0.1',
    log,
    ...(clock && { clock }),
  });
  const url = `http://127.0.0.1:${service.port}`;
  const timeoutMs = clientTimeoutMs;
  const client = createClient(powerCycleDaemonApi, { baseUrl: url, token, timeoutMs });
  const stop = () => service.stop();
  onTestFinished(stop);

  const metricsUrl = `http://127.0.0.1:${service.metricsPort}`;
  if (previous && options.awaitsJournal !== false) {
    await expect.poll(async () => (await fetch(`${metricsUrl}/readyz`)).status).toBe(200);
  }
  const reloads = () => lines.filter(({ msg }) => msg === 'rack.yaml reloaded').length;

  return {
    dir,
    stateDir,
    url,
    metricsUrl,
    client,
    token,
    who,
    boards,
    logged: () => lines,
    async edit(text, changed) {
      const before = reloads();
      await write(text, changed);
      await waitUntil(() => (reloads() > before ? true : undefined));
    },
    metrics: async () => (await fetch(`${metricsUrl}/metrics`)).text(),
    degraded: () => degradedAt(metricsUrl),
    ...requestsOf(client),
    stop,
  };
}

/** Returns what `/readyz` reports, except pauses of the process, which any busy computer may cause. */
async function degradedAt(metricsUrl: string): Promise<{ what: string; why: string }[]> {
  const response = await fetch(`${metricsUrl}/readyz`);
  const { degraded } = readiness.parse(await response.json());
  return degraded.filter(({ what }) => what !== 'pauses');
}

function collectLog() {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    service: 'power-cycle-daemon',
    level: 'debug',
    destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
  });
  return { log, lines };
}

/** What tests request of a daemon: hard cycles, a person's offs and ons, and their results. */
function requestsOf(client: Client<typeof powerCycleDaemonApi>) {
  async function until(id: string, test: (cycle: PowerCycle) => boolean): Promise<PowerCycle> {
    const ending = new AbortController();
    const { signal } = ending;
    try {
      const { events } = await client.cycleEvents({ query: { ids: id }, signal });
      for await (const { data } of events) if (test(data)) return data;
      throw new Error(`the events of ${id} ended`);
    } finally {
      ending.abort();
    }
  }

  /** The cycle, once it is finished. */
  const finished = (id: string) => until(id, ({ outcome }) => outcome !== undefined);
  const requests = async (machines: string | readonly string[], more: object = {}) => {
    const body = { machines: [machines].flat(), reason: 'dead', mode: 'hard' as const, ...more };
    return (await client.requestCycles({ body })).cycles.map(({ id }) => id);
  };
  const turnAll = async (state: 'on' | 'off', targets: string[], more: object = {}) => {
    const body = { targets, state, reason: 'smoke', ...more };
    const { cycles } = await client.switchOutlets({ body });
    return Promise.all(cycles.map(({ id }) => finished(id)));
  };
  return {
    until,
    finished,
    requests,
    request: async (machine: string, more?: object) => (await requests(machine, more))[0] ?? '',
    cycle: async (machines: string | readonly string[], more?: object) =>
      Promise.all((await requests(machines, more)).map((id) => finished(id))),
    turnAll,
    turn: async (state: 'on' | 'off', target: string, more?: object) =>
      (await turnAll(state, [target], more))[0] as PowerCycle,
    async outlet(name: string) {
      const { outlets } = await client.outlets();
      return outlets.find(({ outlet }) => outlet === name);
    },
  };
}

/** Another operator, or one of these rights. */
export async function colleagueOf(
  { dir, url }: Pick<TestDaemon, 'dir' | 'url'>,
  about: Partial<Parameters<typeof newToken>[1]> = {},
) {
  const options = { name: 'bob', role: 'operate' as const, expiresInDays: 3650, ...about };
  const token = await newToken(join(dir, 'tokens.yaml'), options);
  return createClient(powerCycleDaemonApi, { baseUrl: url, token, timeoutMs: clientTimeoutMs });
}

/** The problem response of a call. */
export async function problem(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new TypeError('no problem', { cause: error });
  return error.problem;
}
