/**
 * machine-state with the console over a made-up rack, and the services behind it: for tests, screenshots and
 * `npm run fixture`. HTTP, sign-in, audit and streams are the real ones. What people order changes the machines.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consoleApi, type Machine, machineStateApi } from '@skolo/api';
import {
  createApp,
  createLogger,
  HttpProblem,
  newToken,
  type RouteHandlers,
  type ServiceDefinition,
  startService,
  systemClock,
} from '@skolo/common';
import { openConsole } from '@skolo/console';
import type { ServiceName } from '@skolo/rack';
import { Changes } from '../../api/changes.ts';
import { serviceNamed } from '../../collect/service-apis.ts';
import { fixtureHistory } from './fixture-history.ts';
import { fixturePeers } from './fixture-peers.ts';
import { type FixtureRack, fixtureRack } from './fixture-rack.ts';

interface FixtureOptions {
  machines?: number;
  port?: number;
  /** Who may read without signing in: networks. */
  anonymousRead?: string[];
  /** Changes the machines before the start. */
  prepare?: (fixture: FixtureRack) => void;
}

type Roles = 'view' | 'operate' | 'admin';

export interface Fixture {
  url: string;
  tokens: Record<Roles, string>;
  fixture: FixtureRack;
  /** Changes of the routes of machine-state and the others, as `order {…}`. */
  calls: { name: string; body: unknown }[];
  /** Shows a machine as it is now to all pages. */
  show(machine: Machine): void;
  showRack(): void;
  stopPeer(name: ServiceName): Promise<void>;
  /** Ends and starts the service, at the same port, without its sessions. */
  restart(version?: string): Promise<void>;
  stop(): Promise<void>;
  /** Of the audit log: what, who and outcome of each line. */
  dir: string;
  /** Of the services: the time of this computer, until a test lets more of it pass. */
  clock: { pass(ms: number): void };
}

export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-console-'));
  const rackFile = join(dir, 'rack.yaml');
  const tokenFile = join(dir, 'tokens.yaml');
  const roles: readonly Roles[] = ['view', 'operate', 'admin'];
  const tokens = { view: '', operate: '', admin: '' };
  for (const role of roles) {
    tokens[role] = await newToken(tokenFile, { name: `ann-${role}`, role, expiresInDays: 30 });
  }
  const fixture = fixtureRack(options.machines ?? 300);
  options.prepare?.(fixture);
  const calls: Fixture['calls'] = [];
  let passedMs = 0;
  let ranMs = 0;
  const clock = {
    now: () => systemClock.now() + passedMs,
    uptime: () => systemClock.uptime() + ranMs / 1000,
    /** Only the wall clock goes back. */
    pass(ms: number) {
      passedMs += ms;
      ranMs += Math.max(0, ms);
    },
  };
  const changes = new Changes({
    clock,
    current: { machines: () => fixture.machines, rack: () => fixture.rack },
  });
  function show(machine: Machine) {
    const at = fixture.machines.findIndex(({ name }) => name === machine.name);
    if (at < 0) fixture.machines.push(machine);
    else fixture.machines[at] = machine;
    changes.consume({ type: 'machine', machine, isReadingsOnly: false });
  }
  const log = createLogger({ service: 'machine-state', level: 'silent' });

  async function start(definition: ServiceDefinition, port = 0, version = '0.1.0') {
    const stateDir = join(dir, definition.name);
    await mkdir(stateDir, { recursive: true });
    return startService(definition, {
      rackFile,
      stateDir,
      port,
      metricsPort: 0,
      host: '127.0.0.1',
      log,
      clock,
      version,
    });
  }

  const access = `access: { tokens: { file: tokens.yaml }, anonymousRead: ${JSON.stringify(options.anonymousRead ?? [])} }`;
  const head = `rack: rack4\ntimezone: America/New_York\nnetwork: { subnet: 127.0.0.0/8 }\njumphost: { name: jumphost, address: 127.0.0.1 }\n${access}\n`;
  await writeFile(rackFile, head);
  const peers = new Map<string, Awaited<ReturnType<typeof start>>>();
  const urls: string[] = [];
  for (const definition of fixturePeers(fixture, calls)) {
    const running = await start(definition);
    peers.set(definition.name, running);
    urls.push(
      `  ${definition.name}: { url: "http://127.0.0.1:${running.port}", metricsUrl: "http://127.0.0.1:${running.metricsPort}" }`,
    );
  }
  await writeFile(rackFile, `${head}services:\n${urls.join('\n')}\n`);

  const definition: ServiceDefinition = {
    name: 'machine-state',
    async start(context) {
      const webConsole = await openConsole(context, (name) =>
        serviceNamed(context.rack.rack, name),
      );
      const app = createApp({
        ...context,
        compresses: true,
        api: { ...machineStateApi, ...consoleApi },
        handlers: {
          ...handlersOf(fixture, { calls, show, changes }),
          ...webConsole.handlers,
        },
      });
      return {
        handler: webConsole.around(app),
        readiness: () => ({ ready: true, degraded: [] }),
        stop: async () => undefined,
      };
    },
  };
  let running = await start(definition, options.port);
  const { port } = running;
  return {
    url: `http://127.0.0.1:${port}`,
    tokens,
    fixture,
    calls,
    dir,
    clock,
    show,
    showRack: () => changes.consume({ type: 'rack', rack: fixture.rack }),
    stopPeer: async (name) => peers.get(name)?.stop(),
    async restart(version) {
      await running.stop();
      running = await start(definition, port, version);
    },
    async stop() {
      await running.stop();
      for (const peer of peers.values()) await peer.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function handlersOf(
  fixture: FixtureRack,
  deps: {
    calls: Fixture['calls'];
    show: Fixture['show'];
    changes: Changes;
  },
): RouteHandlers<typeof machineStateApi> {
  const { calls, show, changes } = deps;
  function find(wanted: string): Machine {
    const found = fixture.machines.find(({ name }) => name === wanted);
    if (!found) throw new HttpProblem(404, `${wanted} is not in rack.yaml`);
    return found;
  }
  return {
    machines: () => ({ status: 200, body: { machines: fixture.machines } }),
    machine: ({ params }) => ({ status: 200, body: find(params.name) }),
    rack: () => ({ status: 200, body: fixture.rack }),
    changes: ({ headers }) => ({
      status: 200,
      follow: changes.follow(headers['last-event-id']),
    }),
    ...fixtureHistory(find),
    sickest: () => ({
      status: 200,
      body: {
        machines: fixture.machines.slice(0, 20).map(({ name }, i) => ({
          name,
          times: 40 - i,
          seconds: 90_000 - i * 3000,
          codes: [
            { code: 'battery-low', times: 30 - i },
            { code: 'device-missing', times: 10 },
          ],
        })),
      },
    }),
    log: ({ params, query }) => {
      find(params.name);
      const first = query.after === undefined ? 0 : query.after + 1;
      const lines = Array.from({ length: Math.max(0, 40 - first) }, (_, i) => ({
        number: first + i,
        at: new Date(Date.now() - (40 - first - i) * 1000).toISOString(),
        from: i % 3 === 0 ? ('agent' as const) : ('bot' as const),
        text: i % 3 === 0 ? 'device present, battery 82 %' : `task step ${i}: running test binary`,
      }));
      return { status: 200, body: { lines } };
    },
    addNote({ body }) {
      calls.push({ name: 'addNote', body });
      return { status: 201 };
    },
    order({ body, caller }) {
      calls.push({ name: 'order', body });
      const { machines: names, kind, reason, until } = body;
      const orders = names.map((machine, i) => {
        const since = new Date().toISOString();
        const order = {
          id: `order-${calls.length}-${i}`,
          machine,
          kind,
          by: caller.name,
          reason,
          since,
          deliveredAt: since,
          ...(until && { until }),
        };
        const old = find(machine);
        const condition =
          kind === 'maintenance' ? ('maintenance' as const) : ('quarantined' as const);
        show({ ...old, condition, since, sentence: `${caller.name}: ${reason}`, orders: [order] });
        return order;
      });
      return { status: 201, body: { orders } };
    },
    endOrder({ params }) {
      calls.push({ name: 'endOrder', body: params });
      const machine = fixture.machines.find(({ orders }) =>
        orders.some(({ id }) => id === params.id),
      );
      const order = machine?.orders[0];
      if (!machine || !order) throw new HttpProblem(404, 'no such order');
      show({ ...machine, condition: 'ok', sentence: 'It waits for a task.', orders: [] });
      return { status: 200, body: order };
    },
    screen({ params, body }) {
      calls.push({ name: 'screen', body });
      if (body.fresh && find(params.name).task && !body.force) {
        throw new HttpProblem(409, `${params.name} runs a task; wait, or force it`);
      }
      return { status: 200, body: pixel };
    },
    clear({ params, body }) {
      calls.push({ name: 'clear', body });
      const machine = find(params.name);
      if (!machine.health) throw new HttpProblem(503, 'the agent does not answer');
      return { status: 200, body: machine.health };
    },
    repair({ params, body }) {
      calls.push({ name: 'repair', body: { ...params, ...body } });
      return { status: 202 };
    },
    reboot({ params, body }) {
      calls.push({ name: 'reboot', body });
      if (find(params.name).task) throw new HttpProblem(409, `${params.name} runs a task`);
      return { status: 202 };
    },
  };
}

/** A PNG of one pixel. */
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
