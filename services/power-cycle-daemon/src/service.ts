/**
 * Connects the parts of the power-cycle daemon: opens its resources, and is ready while its journal is open. It makes no other decisions.
 */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { powerCycleDaemonApi } from '@skolo/api';
import { repeat } from '@skolo/base';
import {
  createApp,
  createEvents,
  type Events,
  registerGauges,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  type SignInTarget,
  StateJournal,
} from '@skolo/common';
import { models } from '@skolo/equipment/models';
import { loadDrivers } from '@skolo/equipment/models/load';
import { CannotCycle, type DriverKind } from '@skolo/equipment/models/outlets';
import { HostKeys } from '@skolo/equipment/transports';
import type { Rack } from '@skolo/rack';
import { apiHandlers } from './api/handlers.ts';
import { machineAccess } from './api/machine-access.ts';
import { Cycles } from './cycle/cycles.ts';
import { adoptJournal } from './cycle/inherited-state.ts';
import { Controllers, type ControllersDeps, type CreateUsbHub } from './equipment/controllers.ts';
import {
  addressHolder,
  type MaySwitch,
  maySwitchOf,
  reportJumphost,
} from './equipment/may-switch.ts';
import { type Timing, usualTiming } from './equipment/timing.ts';
import { createUsbHub as usbHubByAgent } from './equipment/usb-hub.ts';
import type { EmitPower, PowerEvent } from './events.ts';
import { OutletWatch } from './keep/outlet-watch.ts';
import { PendingOns } from './keep/pending-ons.ts';
import type { PartDeps } from './part-deps.ts';
import { type EndpointDeps, PdudaemonEndpoint } from './pdudaemon/endpoint.ts';
import { AutoRepair, type AutoRepairDeps } from './repair/auto-repair.ts';
import { AuditTrail } from './report/audit-trail.ts';
import { createMetrics, gauges } from './report/metrics.ts';
import { createReporter, forgetRemoved } from './report/reporter.ts';
import { Holds } from './request/holds.ts';
import { OwnDevices } from './request/own-devices.ts';
import { type Request, Requests } from './request/requests.ts';
import { CircuitBreaker } from './rules/circuit-breaker.ts';
import { whyInverted } from './rules/descriptions.ts';
import { PastCycles } from './rules/past-cycles.ts';
import type { Snapshot } from './rules/preconditions.ts';
import { unfinishedOutlets } from './state/outlet-records.ts';
import { Store } from './state/store.ts';

/** What a test may replace. */
export interface PowerCycleDaemonDeps {
  drivers?: ReadonlyMap<string, DriverKind>;
  createUsbHub?: CreateUsbHub;
  timing?: Timing;
  endpoints?: Pick<EndpointDeps, 'retryMs' | 'timeouts'>;
  repair?: Pick<AutoRepairDeps, 'everyMs' | 'reach'>;
}

export function createPowerCycleDaemon(deps: PowerCycleDaemonDeps = {}): ServiceDefinition {
  return {
    name: 'power-cycle-daemon',
    api: powerCycleDaemonApi,
    signsInTo,
    start: (context) => start(context, deps),
  };
}

/** Devices that switch something, and machines. */
function signsInTo(rack: Rack): SignInTarget[] {
  const switching = [...rack.equipment.values()].filter(
    ({ model }) => models.get(model)?.power !== undefined,
  );
  return [...switching, ...rack.machines.values()];
}

async function start(context: ServiceContext, deps: PowerCycleDaemonDeps): Promise<Service> {
  const { log, clock, degraded, stateDir } = context;
  const { timing = usualTiming, createUsbHub = usbHubByAgent } = deps;
  const { retryMs } = timing;
  const rack = () => context.rack.rack;
  const stopping = new AbortController();
  const { signal } = stopping;
  // Hundreds of cycles may wait, and each adds a listener.
  setMaxListeners(0, signal);
  const afterDamage = 'check skolo power status for outlets that should be on';
  const journal = new StateJournal({ stateDir, log, degraded, afterDamage, retryMs, signal });
  const store = new Store(journal);
  await journal.open((opened) => store.load(opened));
  const hostKeys = new HostKeys(join(stateDir, 'host-keys.json'));
  await hostKeys.load();
  const drivers = deps.drivers ?? (await loadDrivers());
  const trail = new AuditTrail(context.audit, log);
  const events = createEvents<PowerEvent>();
  const opened = { rack, store, events, trail, hostKeys, drivers, createUsbHub, timing, signal };
  const power = connectPower(context, opened);
  const { controllers, pendingOns, past, cycles, holds, outletWatch } = power;
  const { repair, endpoints, handlers } = connectClients(context, deps, opened, power);
  const access = machineAccess(context.access, { rack, clock, hostKeys });
  const handler = createApp(context, { api: powerCycleDaemonApi, handlers, access });

  // Outlets that should be on come first, then work in progress, then everything else.
  await journal.whenOpen(async () => {
    await adoptJournal({ stateDir, store, clock, log, retryMs, signal });
    past.load(store.cycles.all.values());
    holds.load();
    await store.flush();
    pendingOns.resume();
    await cycles.resume();
    journal.onWell();
    if (!signal.aborted) outletWatch.follow();
  });
  outletWatch.follow();
  repair.start();
  await endpoints.follow();
  const stopFollowing = context.rack.onChange(() => {
    for (const stage of [controllers, outletWatch, endpoints]) void stage.follow();
    pendingOns.hurry();
    cycles.giveTurns();
    forgetRemoved(degraded, controllers);
  });
  for (const work of [() => store.flush(), () => holds.forgetEnded()]) {
    repeat(retryMs, work, context.signal, 'later');
  }
  const reporting = setInterval(
    () => reportJumphost({ stateDir, clock }, rack(), degraded),
    retryMs,
  );

  async function stop(): Promise<void> {
    stopFollowing();
    clearInterval(reporting);
    const { stopWithin } = rack().services['power-cycle-daemon'];
    await cycles.windDown(Math.max(0, stopWithin - 2) * 1000);
    stopping.abort(new Error('the daemon is stopping'));
    // At the same time: others must not wait for a device that does not respond. Unfinished work is in the journal.
    const closed = controllers.close();
    for (const stage of [endpoints, repair, cycles, pendingOns, outletWatch]) await stage.close();
    await closed;
    await journal.close(() => store.flush());
  }
  const readiness = () => ({ ready: journal.isOpen, degraded: [] });
  return { handler, readiness, stop };
}

interface Opened
  extends Pick<PartDeps, 'rack' | 'store' | 'signal'>,
    Pick<ControllersDeps, 'hostKeys' | 'drivers' | 'createUsbHub'> {
  timing: Timing;
  events: Events<PowerEvent>;
  trail: AuditTrail;
}

/** From the request to the outlet, and what keeps outlets on or off. Nothing has started yet. */
function connectPower({ log, clock, stateDir, crashNotes }: ServiceContext, opened: Opened) {
  const { rack, store, trail, hostKeys, drivers, createUsbHub, timing, signal } = opened;
  const { emit } = opened.events;
  const maySwitch = maySwitchNow({ stateDir, clock }, opened);
  const controllers = new Controllers({
    rack,
    drivers,
    hostKeys,
    createUsbHub,
    unfinished: (name) => unfinishedOutlets(store, name),
    maySwitch,
    crashNotes,
    clock,
    emit,
  });
  const staggerSeconds = () => rack().services['power-cycle-daemon'].staggerSeconds;
  const pendingOns = new PendingOns({
    store,
    controllers,
    staggerSeconds,
    clock,
    timing,
    emit,
    signal,
  });
  const breaker = new CircuitBreaker({ clock, store });
  const past = new PastCycles(clock);
  const holds: Holds = new Holds({ rack, store, clock, log, trail, begun: () => cycles.begun() });
  const snapshot = () =>
    snapshotOf({ rack: rack(), clock, store, controllers, breaker, past, holds });
  const cycles: Cycles = new Cycles({
    rack,
    store,
    controllers,
    pendingOns,
    breaker,
    hostKeys,
    snapshot,
    timing,
    suppliedWatts: (outlet) => outletWatch.suppliedWatts(outlet),
    clock,
    log,
    emit,
    signal,
  });
  const requests = new Requests({ rack, store, cycles, snapshot, clock, crashNotes, emit });
  const watched = { rack, store, controllers, timing, clock, crashNotes, log };
  const outletWatch: OutletWatch = new OutletWatch(watched);
  return {
    controllers,
    pendingOns,
    breaker,
    past,
    holds,
    snapshot,
    cycles,
    requests,
    outletWatch,
  };
}

/** Nothing is sent beside another jumphost, nor to equipment whose description is known to be wrong. */
function maySwitchNow(
  deps: Parameters<typeof maySwitchOf>[0],
  { rack, store }: Pick<PartDeps, 'rack' | 'store'>,
): MaySwitch {
  const asJumphost = maySwitchOf(deps);
  return (name, signal) => {
    const why = whyInverted(rack(), store.descriptions.all, name);
    return why === undefined
      ? asJumphost(name, signal)
      : Promise.reject(new CannotCycle(name, why));
  };
}

type Power = ReturnType<typeof connectPower>;

/** Who requests something, and who reports the result. */
function connectClients(
  context: ServiceContext,
  deps: PowerCycleDaemonDeps,
  { rack, store, events, trail, hostKeys, signal }: Opened,
  power: Power,
) {
  const { log, clock, stateDir, degraded, connections, metrics } = context;
  const { controllers, pendingOns, breaker, snapshot, cycles, requests } = power;
  const { outletWatch, holds } = power;
  const accept = (request: Request) => trail.recorded(request, () => requests.accept(request));
  const repair = new AutoRepair({
    rack,
    store,
    controllers,
    snapshot,
    accept,
    clock,
    log,
    emit: events.emit,
    signal,
    everyMs: deps.repair?.everyMs,
    reach: deps.repair?.reach,
  });
  const endpoints = new PdudaemonEndpoint({
    rack,
    store,
    events,
    accept,
    snapshot,
    cycles,
    controllers,
    degraded,
    connections,
    log,
    ...deps.endpoints,
  });
  const view = {
    rack,
    store,
    controllers,
    readings: outletWatch.readings,
    breaker,
    snapshot,
    addressHolder: () => addressHolder({ stateDir, clock }, rack()),
  };
  const ownDevices = new OwnDevices({ rack, clock, accept });
  registerGauges(metrics, gauges, () => view);
  const edges = { report: createReporter({ log, degraded }), count: createMetrics(metrics) };
  events.consume((event) => react(event, { ...edges, ...power, trail }));
  const handlers = apiHandlers({
    view,
    requests,
    cycles,
    events,
    holds,
    ownDevices,
    repair,
    pendingOns,
    hostKeys,
  });
  return { repair, endpoints, handlers };
}

/** All that an event leads to, in this order. Requests that follow a cycle get it afterwards. */
function react(
  event: PowerEvent,
  {
    report,
    count,
    trail,
    past,
    breaker,
    outletWatch,
    pendingOns,
    cycles,
  }: Power & Pick<Opened, 'trail'> & Record<'report' | 'count', EmitPower>,
): void {
  report(event);
  count(event);
  switch (event.type) {
    case 'cycle':
      if (event.record.phase === 'finished') trail.recordEnd(event.record);
      past.note(event.record);
      outletWatch.noteCycle(event.record);
      break;
    case 'read':
      outletWatch.noteReadings(event.controller, event.readings);
      break;
    case 'controller':
      if (event.state === 'up') pendingOns.hurry();
      cycles.giveTurns();
      break;
    case 'turned-on':
      breaker.noteTurnedOn(event.controller);
      break;
    case 'on-failed':
      breaker.noteFailed(event.pendingOn, event.why);
      break;
    case 'pending-on-ended':
      // First the breaker, which the cycles consult.
      breaker.forgetFailed(event.pendingOn);
      cycles.giveTurns();
      break;
  }
}

interface Snapped extends Pick<PartDeps, 'clock' | 'store'> {
  rack: Rack;
  controllers: Controllers;
  breaker: CircuitBreaker;
  past: PastCycles;
  holds: Holds;
}

/** What preconditions are checked against. */
function snapshotOf(snapped: Snapped): Snapshot {
  const { rack, clock, store, controllers, breaker, past, holds } = snapped;
  return {
    rack,
    now: clock.now(),
    uptime: clock.uptime(),
    holds: holds.list(),
    switchedOff: store.switchedOff.all,
    pendingOns: store.pendingOns.all,
    descriptions: store.descriptions.all,
    failing: breaker.failing(),
    active: store.active(),
    past: past.list(),
    cyclesNatively: ({ device }, seconds) =>
      controllers.get(device)?.cyclesNatively(seconds) ?? false,
  };
}
