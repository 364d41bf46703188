/** machine-state, wired. */
import { setMaxListeners } from 'node:events';
import { consoleApi, enrolmentsApi, machineStateApi, type ServiceState } from '@skolo/api';
import {
  createApp,
  createEvents,
  Repetitions,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  StateJournal,
} from '@skolo/common';
import { openConsole } from '@skolo/console';
import { Changes } from './api/changes.ts';
import { apiHandlers } from './api/handlers.ts';
import { type AgentTuning, usualTuning } from './collect/agent-watch.ts';
import { Agents } from './collect/agents.ts';
import { RackFile } from './collect/rack-file.ts';
import { serviceNamed } from './collect/service-apis.ts';
import { OtherServices, type ServiceTuning, usualServiceTuning } from './collect/services.ts';
import { openEnrolment } from './enrolment/open-enrolment.ts';
import type { MachineStateEvent } from './events.ts';
import { History } from './history/history.ts';
import { Recorder } from './history/recorder.ts';
import { Current } from './join/current.ts';
import { createMetrics } from './metrics.ts';
import { Delivery } from './orders/delivery.ts';
import { Orders } from './orders/orders.ts';
import { openRecords } from './orders/records.ts';
import { Silences } from './orders/silences.ts';

const api = { ...machineStateApi, ...enrolmentsApi, ...consoleApi };

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
    start: (context) => start(context, deps),
  };
}

async function start(context: ServiceContext, deps: MachineStateDeps): Promise<Service> {
  const { clock, log, degraded, stateDir, signal } = context;
  // Hundreds of agents are watched until then.
  setMaxListeners(0, signal);
  const rack = () => context.rack.rack;
  const settings = () => rack().services['machine-state'];
  const events = createEvents<MachineStateEvent>();
  const { emit } = events;
  const base = { ...usual, ...deps, rack, clock, log, degraded, stateDir, signal, emit };
  const historyDays = () => settings().historyDays;

  const afterDamage = 'compare skolo machine list with what should be in maintenance or quarantine';
  const journal = new StateJournal({ ...base, afterDamage });
  const records = openRecords(journal);
  const history = new History({ ...base, days: historyDays });
  const rackFile = new RackFile(context.rack, clock);
  const agents = new Agents({ ...base, tuning: { ...usualTuning, ...deps.agents } });
  const services = new OtherServices({
    ...base,
    tuning: { ...usualServiceTuning, ...deps.services },
  });
  const repetitions = new Repetitions(records.requests, clock);
  const { audit } = context;
  const orders = new Orders({ ...base, records, repetitions, historyDays, agents, audit });
  const delivery = new Delivery({ ...base, agents, orders, journal, retry: base.delivery });
  const silences = new Silences({
    ...base,
    everyMs: base.silencesEveryMs,
    url: () => settings().alertmanager,
    inForce: () => orders.allInForce(),
  });
  const states = () => [...services.states(), ownState(context)];
  const shown = { views: () => services.views(), states };
  const current = new Current({ ...base, rackFile, agents, services: shown, orders });
  const changes = new Changes({ clock, current });
  const recorder = new Recorder({ ...base, history, services });
  const enrolment = openEnrolment(context, { ...base, journal, records, agents });

  for (const part of [recorder, changes]) events.consume((event) => part.consume(event));
  const measured = { rack, current, history, recorder, orders, services, enrolment };
  createMetrics(context.metrics, measured);
  events.consume((event) => react(event, { current, delivery, silences }));

  await journal.open((opened) => {
    const unreadable = records.tables.load(opened);
    orders.reload(opened.isIncomplete || unreadable > 0);
    return unreadable;
  });
  await records.tables.flush();
  current.recall(await history.open());
  const webConsole = await openConsole(context, (name) => serviceNamed(rack(), name));
  const parts = { rack, clock, current, changes, history, recorder, orders, records, repetitions };
  const handlers = { ...apiHandlers(parts), ...enrolment.handlers, ...webConsole.handlers };
  const handler = webConsole.around(createApp({ ...context, api, handlers, compresses: true }));
  await journal.whenOpen(async () => {
    journal.onWell();
    await records.tables.flush();
    silences.start();
  });
  services.start();
  const follow = () => {
    agents.follow();
    return enrolment.port.follow();
  };
  await follow();
  const ticking = setInterval(() => {
    for (const part of [current, recorder, history, delivery, orders]) void part.tick();
  }, tickMs);
  const unfollow = context.rack.onChange(() => {
    void follow();
    services.hurry();
    current.touch();
  });

  async function stop(): Promise<void> {
    unfollow();
    clearInterval(ticking);
    rackFile.close();
    await enrolment.port.close();
    await Promise.all([agents.stop(), services.stop(), silences.stop(), delivery.stop()]);
    current.stop();
    for (const name of rack().machines.keys()) recorder.catchUp(name);
    await history.close();
    await journal.close(() => records.tables.flush());
  }
  return { handler, readiness: () => ({ ready: true, degraded: [] }), stop };
}

/** What an event means for other parts. */
function react(
  event: MachineStateEvent,
  { current, delivery, silences }: { current: Current; delivery: Delivery; silences: Silences },
): void {
  switch (event.type) {
    case 'agent':
      current.touch(event.machine);
      delivery.consider(event.machine);
      return;
    case 'services':
      current.touch();
      return;
    case 'orders':
      current.touch(event.machine);
      delivery.hurry(event.machine);
      silences.hurry();
      return;
    case 'delivery':
      current.touch(event.machine);
      return;
    default:
  }
}

function ownState({ name, version, rack, degraded }: ServiceContext): ServiceState {
  const parts = [...rack.degraded, ...degraded.list()];
  return {
    name,
    reachable: true,
    ready: true,
    version,
    degraded: parts.map((each) => ({ ...each, since: each.since.toISOString() })),
  };
}
