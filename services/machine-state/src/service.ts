/** Connects the parts of machine-state, and decides what an event means for the others. */
import { setMaxListeners } from 'node:events';
import { consoleApi, enrolmentsApi, machineStateApi, type ServiceState } from '@skolo/api';
import { repeat } from '@skolo/base';
import {
  alertmanagerUrl,
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
import { Links } from './collect/links.ts';
import { RackFile } from './collect/rack-file.ts';
import { serviceClient, serviceNamed } from './collect/service-apis.ts';
import { OtherServices, type ServiceTuning, usualServiceTuning } from './collect/services.ts';
import { openEnrolment } from './enrolment/open-enrolment.ts';
import type { EmitMachineState, MachineStateEvent } from './events.ts';
import { History } from './history/history.ts';
import { Losses } from './history/losses.ts';
import { Recorder } from './history/recorder.ts';
import { Uptimes } from './history/uptimes.ts';
import { Incidents } from './incidents/incidents.ts';
import { endOnItApi, OnIt } from './incidents/on-it.ts';
import { Current } from './join/current.ts';
import { judged } from './join/service-state.ts';
import { createMetrics } from './metrics.ts';
import { Delivery } from './orders/delivery.ts';
import { Orders } from './orders/orders.ts';
import { ReportedOrders } from './orders/reported.ts';
import { Silences } from './orders/silences.ts';
import type { PartDeps } from './part-deps.ts';
import { openRecords } from './records.ts';
import { cycleRequests } from './timeline/cycle-requests.ts';

const api = { ...machineStateApi, ...enrolmentsApi, ...consoleApi };

/** Periods that a test may shorten. */
export interface MachineStateDeps {
  agents?: Partial<AgentTuning>;
  services?: Partial<ServiceTuning>;
  /** Time between two writes of the history, and of the points of curves. */
  writeEveryMs?: number;
  readingsEveryMs?: number;
  /** Time between attempts to open the journal. */
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
const afterDamage =
  'check skolo machine list for machines that should be in maintenance or quarantine';

export function createMachineState(tuning: MachineStateDeps = {}): ServiceDefinition {
  return {
    name: 'machine-state',
    api,
    start: (context) => start(context, { ...usual, ...tuning }),
  };
}

type Tuning = MachineStateDeps & typeof usual;

async function start(context: ServiceContext, tuning: Tuning): Promise<Service> {
  // Hundreds of agents are watched until then.
  setMaxListeners(0, context.signal);
  const events = createEvents<MachineStateEvent>();
  const parts = createParts(context, tuning, events.emit);
  const { rack, journal, records, history, agents, services, orders, reported } = parts;
  const { silences, delivery, current, recorder, uptimes, enrolment, incidents } = parts;
  createMetrics(context.metrics, parts);
  events.consume((event) => react(event, parts));

  await journal.open((opened) => {
    const unreadable = records.tables.load(opened);
    orders.reload();
    reported.reload(opened.isIncomplete || unreadable > 0);
    return unreadable;
  });
  await records.tables.flush();
  const recalled = await history.open();
  for (const part of [current, recorder]) part.recall(recalled.standings);
  incidents.recall(recalled.silences);
  const webConsole = await openConsole(context, (name) => serviceNamed(rack(), name));
  const handlers = {
    ...apiHandlers({ ...parts, links: new Links(parts), audit: context.audit }),
    ...enrolment.handlers,
    ...webConsole.handlers,
  };
  const { stages, instead } = webConsole;
  const handler = createApp(context, { api, handlers, stages, instead, compresses: true });
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
  const ticking = startTicking(context, parts);
  const unfollow = context.rack.onChange(() => {
    void follow();
    onRackFile(parts);
  });

  async function stop(): Promise<void> {
    unfollow();
    clearInterval(ticking);
    parts.rackFile.close();
    await enrolment.port.close();
    await Promise.all([agents.stop(), services.stop(), silences.stop(), delivery.stop()]);
    current.stop();
    for (const name of rack().machines.keys()) recorder.catchUp(name);
    uptimes.stop();
    await history.close();
    await journal.close(() => records.tables.flush());
  }
  return { handler, readiness: () => ({ ready: true, degraded: [] }), stop };
}

/** None of them has begun. */
function createParts(context: ServiceContext, tuning: Tuning, emit: EmitMachineState) {
  const { clock, log, degraded, stateDir, signal } = context;
  const { retryMs, writeEveryMs, readingsEveryMs } = tuning;
  const rack = () => context.rack.rack;
  const days = () => rack().services['machine-state'].historyDays;
  const journal = new StateJournal({ stateDir, log, degraded, retryMs, signal, afterDamage });
  const records = openRecords(journal);
  const history = new History({
    stateDir,
    clock,
    log,
    degraded,
    days,
    writeEveryMs,
    readingsEveryMs,
  });
  const losses = new Losses({ history, clock });
  const rackFile = new RackFile(context.rack, clock);
  const agents = new Agents({ rack, clock, emit, tuning: { ...usualTuning, ...tuning.agents } });
  const ofServices = { ...usualServiceTuning, ...tuning.services };
  const services = new OtherServices({ rack, clock, emit, tuning: ofServices });
  const repetitions = new Repetitions(records.requests, clock);
  const ordering = createOrders(context, tuning, { journal, records, repetitions, agents, emit });
  const { delivery, reported } = ordering;
  const states = () => [...services.states(), ownState(context)];
  const incidents = new Incidents({ rack, clock, history, agents });
  const current = new Current({
    rack,
    clock,
    emit,
    rackFile,
    agents,
    services: { views: () => services.views(), states },
    delivery,
    reported,
    incidents: () => incidents.shown(),
    cycleRequests,
  });
  const changes = new Changes({ clock, current });
  const recorder = new Recorder({ rack, clock, history, services, incidents });
  const uptimes = new Uptimes({ clock, history, states });
  const enrolment = openEnrolment(context, { journal, records, agents, retryMs });
  return {
    rack,
    clock,
    journal,
    records,
    history,
    losses,
    rackFile,
    agents,
    services,
    repetitions,
    orders: ordering.orders,
    reported,
    delivery,
    silences: ordering.silences,
    current,
    changes,
    incidents,
    recorder,
    uptimes,
    enrolment,
  };
}

/** What people order, and what delivers it to the agents and to Alertmanager. */
function createOrders(
  { rack: watch, clock, log, audit, degraded }: ServiceContext,
  tuning: Tuning,
  { journal, records, repetitions, agents, emit }: OrderParts,
) {
  const rack = () => watch.rack;
  const settings = () => rack().services['machine-state'];
  const historyDays = () => settings().historyDays;
  const orders = new Orders({ rack, clock, records, repetitions, historyDays, emit });
  const reported = new ReportedOrders({ rack, clock, records, orders, audit, log });
  const retry = tuning.delivery;
  const delivery = new Delivery({ rack, clock, journal, agents, orders, reported, retry, emit });
  const silences = new Silences({
    rack,
    clock,
    degraded,
    everyMs: tuning.silencesEveryMs,
    url: () => alertmanagerUrl(rack()),
    active: () => orders.allActive(),
    isKnown: (order) => records.orders.get(order) !== undefined,
  });
  return { orders, reported, delivery, silences };
}

/** Time passes for all parts. */
function startTicking(context: ServiceContext, parts: ReturnType<typeof createParts>) {
  const { current, incidents, recorder, uptimes, history, losses, delivery, orders } = parts;
  const onIt = openOnIt(context, parts);
  // Each for itself: a disk that hangs must not keep the others.
  for (const part of [losses, orders, onIt]) {
    repeat(tickMs, () => part.tick(), context.signal, 'later');
  }
  let own = '';
  return setInterval(() => {
    // Nobody else reports that.
    const state = JSON.stringify(ownState(context));
    if (state !== own) current.touch();
    own = state;
    for (const part of [current, incidents, recorder, uptimes, history, delivery]) part.tick();
  }, tickMs);
}

/** rack.yaml has changed. */
function onRackFile({ services, recorder, rackFile, current }: ReturnType<typeof createParts>) {
  services.hurry();
  recorder.noteRackFile(rackFile.view().changes);
  current.touch();
}

function openOnIt(
  { log }: ServiceContext,
  { rack, clock, services, incidents, history }: ReturnType<typeof createParts>,
): OnIt {
  const options = { timeoutMs: 10_000, mostBytes: 16 * 1024 * 1024 };
  const end = async (incident: string) => {
    const client = await serviceClient(rack(), 'power-cycle-daemon', endOnItApi, options);
    return await client.endOnIt({ params: { incident } });
  };
  return new OnIt({ clock, log, services, incidents, history, end });
}

interface OrderParts extends Pick<PartDeps, 'records' | 'emit'> {
  journal: StateJournal;
  repetitions: Repetitions<string[]>;
  agents: Agents;
}

/** What an event means for other parts. */
/** All that an event leads to, in this order. */
function react(event: MachineStateEvent, parts: ReturnType<typeof createParts>): void {
  const { incidents, recorder, changes, current, delivery, silences } = parts;
  for (const part of [incidents, recorder, changes]) part.consume(event);
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
  return judged({
    name,
    reachable: true,
    ready: true,
    version,
    degraded: parts.map((each) => ({ ...each, since: each.since.toISOString() })),
  });
}
