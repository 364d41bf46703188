/** machine-state, wired. */
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { consoleApi, enrolmentsApi, machineStateApi, type ServiceState } from '@skolo/api';
import {
  createApp,
  createEvents,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  StateJournal,
} from '@skolo/common';
import { errorText } from '@skolo/errors';
import { checkSecrets as checkReferences, type Rack } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { Changes } from './changes.ts';
import { agentClient } from './collect/agent-client.ts';
import { type AgentTuning, usualTuning } from './collect/agent-watch.ts';
import { Agents } from './collect/agents.ts';
import { OtherServices, type ServiceTuning, usualServiceTuning } from './collect/services.ts';
import { openConsole } from './console/open-console.ts';
import { Current } from './current.ts';
import { enrolmentHandlers } from './enrolment/api.ts';
import { Cluster } from './enrolment/cluster.ts';
import { EnrolmentPort } from './enrolment/endpoint.ts';
import { Enrolment } from './enrolment/enrolment.ts';
import { Lockdown } from './enrolment/lockdown.ts';
import type { MachineStateEvent } from './events.ts';
import { History } from './history/history.ts';
import { Recorder } from './history/recorder.ts';
import { createMetrics } from './metrics.ts';
import { Delivery } from './orders/delivery.ts';
import { Orders } from './orders/orders.ts';
import { openRecords } from './orders/records.ts';
import { Silences } from './orders/silences.ts';
import { RackFile } from './rack-file.ts';

const api = { ...machineStateApi, ...enrolmentsApi, ...consoleApi };
/** From `src` and from the bundle's `dist`. */
const pages = fileURLToPath(new URL('../pages', import.meta.url));

/** Periods that a test may shorten. */
export interface MachineStateDeps {
  agents?: Partial<AgentTuning>;
  services?: Partial<ServiceTuning>;
  /** Between two writes of the history, and of the points of curves. */
  writeEveryMs?: number;
  readingsEveryMs?: number;
  /** Between attempts to open the journal. */
  retryMs?: number;
  delivery?: { firstMs: number; maxMs: number };
  silencesEveryMs?: number;
}

const usual = {
  writeEveryMs: 15_000,
  readingsEveryMs: 600_000,
  retryMs: 5000,
  delivery: { firstMs: 1000, maxMs: 30_000 },
  silencesEveryMs: 60_000,
};
const tickMs = 1000;

export function createMachineState(deps: MachineStateDeps = {}): ServiceDefinition {
  return {
    name: 'machine-state',
    api,
    checkSecrets,
    start: (context) => start(context, deps),
  };
}

async function checkSecrets(rack: Rack): Promise<string[]> {
  const checked = await checkReferences(rack, 'machine-state');
  return checked.flatMap(({ where, error }) =>
    // Files of TLS and of tokens are checked for every service alike.
    error === undefined || where.includes('.tls.') || where.startsWith('access.')
      ? []
      : [`${where}: ${errorText(error)}`],
  );
}

async function start(context: ServiceContext, deps: MachineStateDeps): Promise<Service> {
  const { clock, log, degraded, stateDir, signal } = context;
  // Hundreds of agents are watched until then.
  setMaxListeners(0, signal);
  const rack = () => context.rack.rack;
  const settings = () => rack().services['machine-state'];
  const base = { ...usual, ...deps, rack, clock, log, degraded, stateDir, signal };
  const events = createEvents<MachineStateEvent>();
  const { emit } = events;

  const afterDamage = 'compare skolo machine list with what should be in maintenance or quarantine';
  const journal = new StateJournal({ ...base, afterDamage });
  const records = openRecords(journal);
  const historyDays = () => settings().historyDays;
  const history = new History({ ...base, days: historyDays });

  const rackFile = new RackFile(context.rack, clock);
  const agents: Agents = new Agents({
    ...{ rack, clock, tuning: { ...usualTuning, ...deps.agents } },
    onView(name) {
      current.touch(name);
      delivery.consider(name);
    },
  });
  const services: OtherServices = new OtherServices({
    ...{ rack, tuning: { ...usualServiceTuning, ...deps.services } },
    onChange: () => current.touch(),
    onCycle: (cycle) => emit({ type: 'cycle', cycle }),
  });
  const orders: Orders = new Orders({
    ...{ ...base, records, historyDays },
    whyUndelivered: (name) => delivery.why(name),
    onChange(name) {
      current.touch(name);
      delivery.hurry(name);
      silences.hurry();
    },
  });
  const delivery: Delivery = new Delivery({
    clock,
    retry: base.delivery,
    inForce: (name) => orders.recordsInForce(name),
    view: (name) => agents.view(name),
    connect: (name) => agentClient(rack(), name),
    isReady: () => journal.isOpen,
    isKnown: (id) => orders.has(id),
    adopt: (name, found) => orders.adopt(name, found),
    onDelivered: (name) => orders.delivered(name),
    onChange: (name) => current.touch(name),
  });
  const silences: Silences = new Silences({
    ...{ clock, degraded, everyMs: base.silencesEveryMs },
    url: () => settings().alertmanager,
    inForce: () => orders.allInForce(),
  });
  const shown = {
    views: () => services.views(),
    states: () => [...services.states(), ownState(context)],
  };
  const current = new Current({ rack, rackFile, clock, agents, services: shown, orders, emit });
  const changes = new Changes({
    ...{ clock, machines: () => current.machines(), rack: () => current.rack() },
  });
  const countDropped = createMetrics(context.metrics, () => ({
    machines: current.machines(),
    pending: history.pending,
    isHistoryOpen: history.isOpen,
    undelivered: orders.allInForce().filter(({ deliveredAt }) => deliveredAt === undefined).length,
    isServiceReachable: services.states().map(({ name, reachable }) => [name, reachable] as const),
  }));
  const recorder = new Recorder({
    ...{ rack, clock, history },
    areAlertsKnown: () => services.views().alerts !== undefined,
    onDropped: countDropped,
  });
  const enrolment = new Enrolment({
    ...{ rack, clock, log, records, cluster: new Cluster({ rack, signal }) },
    isOpen: () => journal.isOpen,
    isAgentAlive: (name) => agents.isAlive(name),
  });
  const enrolmentPort = new EnrolmentPort({
    ...{ context, enrolment, lockdown: new Lockdown(stateDir), retryMs: base.retryMs },
  });
  for (const part of [recorder, changes]) events.consume((event) => part.consume(event));

  await journal.open((opened) => {
    const unreadable = records.tables.load(opened);
    orders.reload();
    return unreadable;
  });
  current.recall(await history.open());
  const webConsole = await openConsole(context, pages);
  const parts = { rack, clock, current, changes, history, orders };
  const handlers = {
    ...apiHandlers(parts),
    ...enrolmentHandlers({ enrolment, port: enrolmentPort }),
    ...webConsole.handlers,
  };
  const handler = webConsole.around(createApp({ ...context, api, handlers, compresses: true }));
  await journal.whenOpen(async () => {
    journal.onWell();
    silences.start();
  });
  agents.follow();
  services.start();
  await enrolmentPort.follow();
  const ticking = setInterval(() => {
    current.tick();
    history.tick();
    delivery.tick();
    void orders.tick();
  }, tickMs);
  const unfollow = context.rack.onChange(() => {
    agents.follow();
    services.hurry();
    void enrolmentPort.follow();
    current.touch();
  });

  return {
    handler,
    readiness: () => ({ ready: true, degraded: [] }),
    async stop() {
      unfollow();
      clearInterval(ticking);
      rackFile.close();
      await enrolmentPort.close();
      await Promise.all([agents.stop(), services.stop(), silences.stop(), delivery.stop()]);
      current.stop();
      await history.close();
      await journal.close(() => records.tables.flush());
    },
  };
}

function ownState({ name, version, rack, degraded }: ServiceContext): ServiceState {
  const parts = [...rack.degraded, ...degraded.list()];
  return {
    ...{ name, reachable: true, ready: true, version },
    degraded: parts.map((each) => ({ ...each, since: each.since.toISOString() })),
  };
}
