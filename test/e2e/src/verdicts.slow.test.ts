/**
 * One verdict, one place: for each of a machine, a controller, a backup, a service and the path of alerts, ten states on the console's first
 * page, on its own page, in the command and in the metric. Without Chromium, the fields that the pages print stand for them.
 */

import { type DeliveryFacts, deliveryOf } from '@skolo/alerts/delivery-state';
import type {
  BackupEquipment,
  ControllerStatus,
  Machine,
  MachineCondition,
  RackView,
  ServiceState,
} from '@skolo/api';
import { conditionWord } from '@skolo/api/silence';
import { untilTestEnds } from '@skolo/base/testing';
import { registerGauges } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import { startScripted } from '@skolo/scripted-services/service';
import { peer } from '@skolo/simulators';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countsOf } from '../../../packages/cli/src/commands/status/status.ts';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import { readHealth } from '../../../packages/fleet/src/survey/rack-health.ts';
import { gauges as alertGauges } from '../../../services/alert-to-pubsub/src/metrics.ts';
import { machineFrom } from '../../../services/machine-state/src/join/machine.ts';
import { rackViewFrom } from '../../../services/machine-state/src/join/rack-view.ts';
import { judged } from '../../../services/machine-state/src/join/service-state.ts';
import type { MachineSources, Services } from '../../../services/machine-state/src/join/sources.ts';
import { createMetrics } from '../../../services/machine-state/src/metrics.ts';
import { gauges as powerGauges } from '../../../services/power-cycle-daemon/src/report/metrics.ts';
import { controllerStatus } from '../../../services/power-cycle-daemon/src/report/status.ts';
import {
  type StatusSources,
  statusOf,
} from '../../../services/router-backup/src/report/device-status.ts';
import { gauges as backupGauges } from '../../../services/router-backup/src/report/metrics.ts';
import { openPrinter, type Print } from './printed-pages.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const at = '2026-11-20T11:00:00.000Z';
const hour = 3_600_000;
const rack = parseRack(
  `rack: small
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11 }
  odd-1: { model: edgeswitch, address: 192.168.1.12, backup: false }
machines:
  pi-1: { kind: rpi, address: 192.168.1.101 }
services:
  router-backup: { overdueHours: 36 }
`,
  { file: 'rack.yaml' },
);

const chromium = peer('chromium');
let printer: Awaited<ReturnType<typeof openPrinter>> | undefined;
beforeAll(async () => {
  if (chromium) printer = await openPrinter(chromium);
});
afterAll(() => printer?.[Symbol.asyncDispose]());

/** What a browser prints is as expected. */
async function expectPages(
  expected: Awaited<ReturnType<Print>>,
  ...given: Parameters<Print>
): Promise<void> {
  if (printer) expect(await printer.print(...given)).toEqual(expected);
}

/** The only sample of a metric that is 1, by a label. */
async function labelOf(registry: Registry, metric: string, label: string) {
  const text = await registry.metrics();
  const line = new RegExp(`^${metric}\\{[^}]*\\b${label}="([^"]*)"[^}]*\\} 1$`, 'gm');
  return [...text.matchAll(line)].map(([, value]) => value);
}

/** A command's cell in a column of its only row, or all that it prints. */
async function printed(args: string, body: unknown, column?: string): Promise<string> {
  const server = untilTestEnds(await startScripted('machine-state', {}));
  server.instead = (_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  };
  const { out, err } = await runCommand([...args.split(' '), '--url', server.url]);
  if (column === undefined) return out || err;
  const lines = out.split('\n');
  const head = lines.find((line) => line.includes(column)) ?? '';
  const row = lines[lines.indexOf(head) + 1] ?? err;
  return row.slice(head.indexOf(column)).split(/ {2,}/)[0] ?? '';
}

function rackWith(services: Services, states: ServiceState[] = []): RackView {
  return rackViewFrom(rack, {
    rackFile: { loadedAt: at, warnings: [], problems: [], changes: [] },
    services,
    states,
    causes: [],
    incidents: [],
    alerts: [],
    cycleRequests: [],
  });
}

const reported = (verdict: 'ok' | 'recovering' | 'maintenance' | 'quarantined') => ({
  machine: 'pi-1',
  task: { running: false },
  devices: [],
  health: { verdict, since: at, reasons: [] },
});
/** What an agent reports that is not skolo's, or of a version that did not judge. */
const { health: _, ...withoutHealth } = reported('ok');
const maintenance = {
  id: '1',
  kind: 'maintenance' as const,
  reason: 'new hub',
  since: at,
  machine: 'pi-1',
};
const standing = (condition: MachineCondition) => ({ condition, since: now - hour });

describe('a machine', () => {
  it.each<[MachineCondition, Partial<MachineSources> & { silent?: number }]>([
    ['ok', { agent: { status: reported('ok'), silentSeconds: 1 } }],
    ['unknown', { agent: { status: withoutHealth, silentSeconds: 1 } }],
    ['unknown', { agent: { status: withoutHealth, silentSeconds: 1 }, standing: standing('ok') }],
    ['unknown', { agent: { status: withoutHealth, silentSeconds: 1 }, standing: standing('gone') }],
    ['unknown', { agent: { silentSeconds: 1 }, standing: standing('unknown') }],
    ['stale', { agent: { status: withoutHealth, silentSeconds: 61 } }],
    ['recovering', { agent: { status: reported('recovering'), silentSeconds: 1 } }],
    ['maintenance', { agent: { status: reported('maintenance'), silentSeconds: 1 } }],
    ['quarantined', { agent: { status: reported('quarantined'), silentSeconds: 1 } }],
    ['stale', { agent: { status: reported('ok'), silentSeconds: 61 } }],
    ['stale', { agent: { status: reported('quarantined'), silentSeconds: 61 } }],
    ['gone', { agent: { status: reported('ok'), silentSeconds: 601 } }],
    ['gone', { agent: { silentSeconds: 61 }, standing: standing('gone') }],
    [
      'maintenance',
      { agent: { status: reported('ok'), silentSeconds: 601 }, orders: [maintenance] },
    ],
    ['never-reported', { agent: { silentSeconds: 1000 } }],
  ])('is %s everywhere', async (expected, given) => {
    const entry = rack.machines.get('pi-1');
    if (entry === undefined) throw new Error('pi-1 is missing');
    const sources: MachineSources = {
      agent: { silentSeconds: 0 },
      orders: [],
      unknownOrders: [],
      services: {},
      alerts: [],
      limits: { staleSeconds: 60, goneSeconds: 600 },
      ...given,
    };
    const machine: Machine = machineFrom(entry, sources, now);
    const registry = machineMetrics([machine], []);
    const conditions = Object.fromEntries(
      (await labelOf(registry, 'skolo_machines_condition', 'condition')).map((each) => [each, 1]),
    );

    expect(machine.condition).toBe(expected);
    const word = conditionWord(expected);
    expect(await printed('machine list', { machines: [machine] }, 'CONDITION')).toBe(word);
    expect(Object.keys(conditions)).toEqual([expected]);
    const { ok, unhealthy, silent } = countsOf({ conditions, health: { ok: 9 } });
    expect([ok, unhealthy, silent]).toEqual([
      Number(expected === 'ok'),
      Number(['recovering', 'quarantined', 'never-reported'].includes(expected)),
      Number(word === 'silent'),
    ]);
    // The word is wider than a tile.
    const tile = expected === 'never-reported' ? 'never seen' : word;
    await expectPages(
      { tiles: [tile], cards: expect.any(Array), own: [word] },
      { rack: rackWith({}), machines: [machine] },
      ['machine/pi-1', '.now .condition'],
    );
  });
});

function machineMetrics(machines: Machine[], services: ServiceState[]): Registry {
  const registry = new Registry();
  createMetrics(registry, {
    rack: () => rack,
    current: { machines: () => machines, rack: () => ({ services, causes: [], incidents: [] }) },
    history: { pending: 0, discarded: 0, isOpen: true },
    losses: { lastWeek: undefined },
    recorder: { omitted: () => new Map(), endedTasks: new Map() },
    reported: { notHeard: 0 },
    enrolment: { waiting: () => [] },
  });
  return registry;
}

describe('a controller', () => {
  const isStuck = new Map([
    ['switch-1', { stuckOutlets: ['switch-1/4'], first: { why: 'on', since: at } }],
  ]);
  const none = new Map();
  it.each([
    ['up', 'up', none, {}],
    ['up', 'up', none, { queueLength: 12 }],
    ['up', 'up', none, { rejectsSignIn: true }],
    ['down', 'down', none, { detail: 'no response' }],
    ['down', 'down', none, { detail: 'the login was rejected', rejectsSignIn: true }],
    ['down', 'down', isStuck, { detail: 'no response' }],
    ['failing', 'up', isStuck, {}],
    ['failing', 'unknown', isStuck, {}],
    ['unknown', 'unknown', none, {}],
    ['unknown', 'unknown', none, { detail: 'not read yet' }],
  ])('is %s everywhere (it was last found %s)', async (expected, state, stuck, more) => {
    const controller = {
      name: 'switch-1',
      model: 'edgeswitch',
      state,
      since: now - hour,
      queueLength: 0,
      lastContact: undefined,
      rejectsSignIn: false,
      ...more,
    };
    const view = {
      controllers: { all: () => [controller] },
      breaker: { failing: () => stuck },
      store: { descriptions: { all: new Map() } },
      rack: () => rack,
    };
    // A test gives what it is about.
    const status: ControllerStatus = controllerStatus(controller as never, view as never);
    const registry = new Registry();
    const { skolo_power_controller_up: up, skolo_power_controller_failing: failing } = powerGauges;
    registerGauges(registry, { up, failing } as typeof powerGauges, () => view as never);
    const text = await registry.metrics();
    const value = (name: string) => new RegExp(`^${name}\\{.*\\} (\\d)$`, 'm').exec(text)?.[1];
    const metric =
      value('failing') === '1'
        ? 'failing'
        : ({ 0: 'down', 1: 'up' }[value('up') ?? ''] ?? 'unknown');
    const power = { machines: new Map(), controllers: new Map([['switch-1', status]]) };

    const joined = rackWith({ power });
    expect(joined.equipment[0]?.state).toBe(expected);
    expect(status.state).toBe(expected);
    expect(await printed('power controllers', { controllers: [status] }, 'STATE')).toBe(expected);
    expect(metric).toBe(expected);
    const isBad = expected === 'down' || expected === 'failing';
    const cards = isBad ? [`switch-1 is ${expected}`] : [];
    const others = {
      '/services/power-cycle-daemon/v1/controllers': { controllers: [status] },
      '/services/power-cycle-daemon/v1/outlets': { outlets: [] },
      '/services/power-cycle-daemon/v1/holds': { holds: [] },
    };
    await expectPages(
      { tiles: [], cards, own: [expected, expected] },
      { rack: joined, others },
      ['equipment/switch-1', 'h1 + p .state'],
      ['power', '.state'],
    );
  });
});

describe('the backup of a device', () => {
  // After a timeout, the card would be about the switch.
  const failed = { failure: 'auth', detail: 'rejected', failures: 2 };
  it.each<[BackupEquipment['state'], string, number | undefined, object | undefined]>([
    ['ok', 'switch-1', now - hour, {}],
    ['ok', 'switch-1', now - 35 * hour, {}],
    ['ok', 'switch-1', now - hour, { unsaved: true }],
    ['failed', 'switch-1', now - hour, failed],
    ['never', 'switch-1', undefined, failed],
    ['overdue', 'switch-1', now - 37 * hour, {}],
    ['overdue', 'switch-1', now - 37 * hour, failed],
    ['never', 'switch-1', undefined, {}],
    ['never', 'switch-1', undefined, undefined],
    ['not-backed-up', 'gone-1', now - hour, {}],
  ])('is %s everywhere: %s, %d, %o', async (expected, name, last, more) => {
    const record = more && { name, model: 'edgeswitch', failures: 0, ...more };
    const devices = new Map(record && [[name, record]]);
    const sources = {
      rack: () => rack,
      clock: fakeClock(now),
      state: { devices: { all: devices, get: (device: string) => devices.get(device) } },
      lastSuccess: { get: (device: string) => (device === name ? last : undefined) },
      inventory: { problem: undefined },
      versions: { newest: async () => undefined, count: async () => 0 },
      transcripts: { has: async () => false },
      runs: { isReading: () => false },
      copies: { stateOf: () => 'none' },
    } as unknown as StatusSources;
    const device = await statusOf(sources, name);
    if (device === undefined) throw new Error(`${name} has no status`);
    const registry = new Registry();
    const { skolo_backup_device_state: gauge } = backupGauges;
    registerGauges(registry, { state: gauge } as typeof backupGauges, () => ({ sources }) as never);
    const backups = new Map([['switch-1', device]]);
    const word = expected === 'never' ? 'never backed up' : expected.replaceAll('-', ' ');
    const body = { equipment: [device], offsite: [], lost: [] };

    const view = rackWith({ backups });
    expect(view.equipment[0]?.backup?.state).toBe(expected);
    expect(device.state).toBe(expected);
    expect(await printed('backup status', body, 'STATE')).toMatch(new RegExp(`^${word}\\b`));
    const text = await registry.metrics();
    expect(text).toContain(`state{device="${name}",state="${expected}"} 1`);
    const isBad = ['failed', 'overdue', 'never'].includes(expected);
    await expectPages(
      { tiles: [], cards: isBad ? [`Backup of switch-1: ${word}`] : [], own: [word] },
      { rack: view, others: { '/services/router-backup/v1/equipment': body } },
      ['backups', '.state'],
    );
  });
});

describe('a service', () => {
  const part = { what: 'journal', why: 'the file system is read-only', since: at };
  it.each<[string, Omit<ServiceState, 'state' | 'name'>, false?]>([
    ['unknown', { reachable: false, ready: false, degraded: [] }, false],
    ['ready', { reachable: true, ready: true, degraded: [] }],
    ['ready', { reachable: true, ready: true, degraded: [], version: '1.2.0' }],
    ['degraded', { reachable: true, ready: true, degraded: [part] }],
    ['degraded', { reachable: true, ready: true, degraded: [part, part] }],
    ['not ready', { reachable: true, ready: false, degraded: [] }],
    ['not ready', { reachable: true, ready: false, degraded: [part] }],
    ['not ready', { reachable: true, ready: false, degraded: [], why: 'it starts' }],
    ['unreachable', { reachable: false, ready: false, degraded: [], why: 'refused' }],
    ['unreachable', { reachable: false, ready: true, degraded: [] }],
    ['unreachable', { reachable: false, ready: true, degraded: [part] }],
  ])('is %s everywhere', async (expected, facts, isKnown) => {
    const service = judged({ name: 'router-backup', ...facts }, isKnown);
    const registry = machineMetrics([], [service]);
    const [metric = ''] = await labelOf(registry, 'skolo_machines_service_state', 'state');
    // As the command's query asks for.
    const isAsked = metric !== 'ready';
    const sample = {
      metric: { figure: 'serviceStates', service: 'router-backup', state: metric },
      value: [0, '1'],
    };
    const answer = { data: { resultType: 'vector', result: isAsked ? [sample] : [] } };

    const view = rackWith({}, [service]);
    expect(view.services[0]?.state).toBe(expected);
    expect(service.state).toBe(expected);
    expect(metric).toBe(expected);
    expect(readHealth(JSON.stringify(answer)).serviceStates['router-backup'] ?? 'ready').toBe(
      expected,
    );
    const isQuiet = expected === 'ready' || expected === 'unknown';
    const cards = isQuiet ? [] : [`router-backup: ${expected}`];
    await expectPages({ tiles: [], cards, own: [expected] }, { rack: view }, [
      'services',
      '.state',
    ]);
  });
});

describe('the path of alerts', () => {
  const working = { name: 'pubsub', lastSuccess: at };
  const failing = { name: 'pagers', lastSuccess: at, failingSince: at, detail: 'refused' };
  const well: DeliveryFacts = { healthy: true, lastHeard: at, spool: {}, sinks: [working] };
  const full = {
    healthy: false,
    why: 'the disk is full',
    spool: { rejecting: 'the disk is full' },
  };
  const silent = { healthy: false, why: 'Prometheus has been silent since 11:00' };
  it.each<[string, Partial<DeliveryFacts>]>([
    ['delivered', {}],
    ['delivered', { sinks: [working, { name: 'pagers' }] }],
    ['not confirmed', { lastHeard: undefined }],
    ['not confirmed', { sinks: [{ name: 'pagers' }] }],
    ['failing', { sinks: [working, failing] }],
    ['failing', { lastHeard: undefined, sinks: [failing] }],
    ['failing', full],
    ['silent', silent],
    ['silent', { ...silent, lastHeard: undefined, sinks: [{ name: 'pagers' }] }],
    ['failing', { ...silent, sinks: [working, failing] }],
  ])('is %s everywhere', async (expected, given) => {
    const delivery = { ...well, ...given };
    const sinks = delivery.sinks.map((sink) => ({
      kind: 'http' as const,
      depth: 0,
      oldestSeconds: 0,
      setAside: 0,
      ...sink,
    }));
    const spool = { bytes: 0, maxBytes: 1, ...delivery.spool };
    const body = { location: 'rack4', receivers: [], firing: 0, ...delivery, spool, sinks };
    const registry = new Registry();
    const { skolo_alerts_delivery: gauge } = alertGauges;
    const read = () => ({ delivery: () => deliveryOf(delivery) }) as never;
    registerGauges(registry, { state: gauge } as typeof alertGauges, read);

    const view = rackWith({ delivery });
    expect(view.alertPath?.state).toBe(expected);
    expect(deliveryOf(delivery).state).toBe(expected);
    expect(await printed('alerts status', body)).toMatch(
      new RegExp(`^rack4: alerts ${expected}\\b`),
    );
    expect(await labelOf(registry, 'state', 'state')).toEqual([expected]);
    const others = {
      '/services/alert-to-pubsub/v1/alerts': { alerts: [] },
      '/services/alert-to-pubsub/v1/status': body,
      '/services/alert-to-pubsub/v1/dead-letters': { deadLetters: [] },
    };
    const cards = expected === 'delivered' ? [] : [`Alerts ${expected}`];
    const own = [expect.stringMatching(new RegExp(`^Alerts ${expected}(:|$)`))];
    await expectPages({ tiles: [], cards, own }, { rack: view, others }, ['alerts', 'main .card']);
  });
});
