/** The power-cycle daemon, wired: opens what it needs, connects its parts, and returns. Nothing here decides. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { powerCycleDaemonApi } from '@skolo/api';
import {
  type BackOffOptions,
  createApp,
  createEvents,
  registerGauges,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  type SignInTarget,
  StateJournal,
} from '@skolo/common';
import { HostKeys, SessionPool } from '@skolo/equipment';
import { models } from '@skolo/models';
import { type DriverKind, loadDrivers } from '@skolo/models/outlets';
import type { Rack } from '@skolo/rack';
import { Cycles } from './cycle/cycles.ts';
import { type Patience, usualPatience } from './cycle/outlets.ts';
import { Controllers, type CreateUsbHub } from './devices/controllers.ts';
import { maySwitchOf, reportJumphost } from './devices/may-switch.ts';
import { createUsbHub } from './devices/usb-hub.ts';
import { Endpoints, type EndpointsDeps } from './endpoints/endpoints.ts';
import type { EmitPower, PowerEvent } from './events.ts';
import { OutletWatch } from './keep/outlet-watch.ts';
import { Restorer, usualBackOff } from './keep/restorer.ts';
import { usualWatch, type WatchTuning } from './machines/watch.ts';
import { AutoRepair, type AutoRepairDeps } from './repair/auto-repair.ts';
import { AuditTrail } from './report/audit-trail.ts';
import { createMetrics, gauges } from './report/metrics.ts';
import { createReporter, forgetRemoved } from './report/reporter.ts';
import { apiHandlers } from './request/api.ts';
import { Holds } from './request/holds.ts';
import { machineAccess } from './request/machine-access.ts';
import { OwnDevices } from './request/own-devices.ts';
import { type Request, Requests } from './request/requests.ts';
import { CircuitBreaker } from './rules/circuit-breaker.ts';
import { PastCycles } from './rules/past-cycles.ts';
import type { Snapshot } from './rules/preconditions.ts';
import { takeOver } from './state/inherited-state.ts';
import { Store } from './state/store.ts';

/** What a test may replace. */
export interface PowerCycleDaemonDeps {
  drivers?: ReadonlyMap<string, DriverKind>;
  createUsbHub?: CreateUsbHub;
  patience?: Patience;
  /** Between attempts to turn an outlet on again. */
  backOff?: BackOffOptions;
  watch?: WatchTuning;
  /** Pause between attempts to reach a controller, in milliseconds. */
  contactPauseMs?: number;
  /** Pause between attempts to open the journal, or to write what it did not take. */
  flushEveryMs?: number;
  endpoints?: Pick<EndpointsDeps, 'retryMs' | 'timeouts'>;
  repair?: Pick<AutoRepairDeps, 'everyMs' | 'reach'>;
}

const usual = {
  createUsbHub,
  patience: usualPatience,
  backOff: usualBackOff,
  watch: usualWatch,
  contactPauseMs: 5000,
  flushEveryMs: 5000,
};

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
  const switching = [...rack.infrastructure.values()].filter(
    ({ model }) => models.get(model)?.power !== undefined,
  );
  return [...switching, ...rack.machines.values()];
}

async function start(context: ServiceContext, deps: PowerCycleDaemonDeps): Promise<Service> {
  const { log, clock, degraded, stateDir, audit } = context;
  const rack = () => context.rack.rack;
  const settings = () => rack().services['power-cycle-daemon'];
  const stopping = new AbortController();
  const { signal } = stopping;
  // Hundreds of cycles may wait, and each of them listens.
  setMaxListeners(0, signal);
  const events = createEvents<PowerEvent>();
  const jumphost = { stateDir, clock };
  const maySwitch = maySwitchOf(jumphost);
  const base = { ...usual, ...deps, rack, clock, log, emit: events.emit, signal, maySwitch };
  events.consume(createReporter(context));
  events.consume(createMetrics(context.metrics, { clock }));

  const retryMs = base.flushEveryMs;
  const afterDamage = 'compare skolo power status with what should be on';
  const journal = new StateJournal({ ...base, stateDir, degraded, afterDamage, retryMs });
  const store = new Store(journal);
  await journal.open((opened) => store.load(opened));
  const hostKeys = new HostKeys(join(stateDir, 'host-keys.json'));
  await hostKeys.load();
  const sessions = new SessionPool();
  const drivers = deps.drivers ?? (await loadDrivers());
  const controllers = new Controllers({ ...base, drivers, sessions, hostKeys });
  const devices = { ...base, store, controllers };

  const restorer = new Restorer({ ...devices, staggerSeconds: () => settings().staggerSeconds });
  const breaker = new CircuitBreaker({ clock, store, restorer });
  const past = new PastCycles(clock);
  const snapshot = () => snapshotOf({ ...devices, breaker, past });
  const cycles = new Cycles({ ...devices, restorer, breaker, hostKeys, snapshot });
  const requests = new Requests({ ...base, store, cycles, snapshot });
  const outletWatch = new OutletWatch(devices);
  const trail = new AuditTrail(audit, log);
  const take = (request: Request) => trail.recorded(request, () => requests.take(request));
  const holds = new Holds({ rack, store, clock });
  const ownDevices = new OwnDevices({ rack, clock, take });
  const repair = new AutoRepair({ ...devices, take, ...deps.repair });
  const asked = { ...devices, events, degraded, audit, cycles, take, snapshot };
  const { connections } = context;
  const endpoints = new Endpoints({ ...asked, connections, ...deps.endpoints });
  const view = { rack, store, controllers, readings: outletWatch.readings, breaker, snapshot };
  const parts = { view, requests, cycles, events, holds, ownDevices, repair, restorer, hostKeys };
  const access = machineAccess(context.access, { rack, clock, hostKeys });
  const handlers = apiHandlers(parts);
  const handler = createApp({ ...context, access, api: powerCycleDaemonApi, handlers });
  registerGauges(context.metrics, gauges, () => view);
  events.consume((event) => trail.onEvent(event));
  events.consume(reactions({ restorer, breaker, past, cycles, outletWatch, clock }));

  // Outlets that are to be on come first, then what was under way, then everything else.
  await journal.whenOpen(async () => {
    await takeOver({ ...base, stateDir, store, retryMs });
    past.load(store.cycles.all.values());
    await store.flush();
    restorer.resume();
    await cycles.resume();
    journal.onWell();
    if (!signal.aborted) outletWatch.follow();
  });
  outletWatch.follow();
  repair.start();
  await endpoints.follow();
  const stopFollowing = context.rack.onChange(() => {
    for (const part of [controllers, outletWatch, endpoints]) void part.follow();
    restorer.hurry();
    cycles.giveTurns();
    forgetRemoved(degraded, controllers);
  });
  const flushing = setInterval(() => {
    void store.flush();
    reportJumphost(jumphost, degraded);
  }, base.flushEveryMs);

  async function stop(): Promise<void> {
    stopFollowing();
    clearInterval(flushing);
    await cycles.windDown(Math.max(0, settings().stopWithin - 2) * 1000);
    stopping.abort(new Error('the daemon stops'));
    // At once: others wait for what a device that is slow does not answer. What is unfinished is in the journal.
    const closed = controllers.close().then(() => sessions.close());
    for (const part of [endpoints, repair, cycles, restorer, outletWatch]) await part.close();
    await closed;
    await journal.close(() => store.flush());
  }
  return { handler, readiness: () => ({ ready: journal.isOpen, degraded: [] }), stop };
}

interface Snapped extends Pick<ServiceContext, 'clock'> {
  rack(): Rack;
  store: Store;
  controllers: Controllers;
  breaker: CircuitBreaker;
  past: PastCycles;
}

/** What preconditions are checked against. */
function snapshotOf({ rack, clock, store, controllers, breaker, past }: Snapped): Snapshot {
  return {
    rack: rack(),
    now: clock.now(),
    uptime: clock.uptime(),
    holds: [...store.holds.all.values()],
    switchedOff: store.switchedOff.all,
    pendingOns: store.pendingOns.all,
    failing: breaker.failing(),
    active: store.active(),
    past: past.list(),
    cyclesNatively: ({ device }, seconds) =>
      controllers.get(device)?.cyclesNatively(seconds) ?? false,
  };
}

interface Reacting {
  restorer: Restorer;
  breaker: CircuitBreaker;
  past: PastCycles;
  cycles: Cycles;
  outletWatch: OutletWatch;
  clock: ServiceContext['clock'];
}

/** How the parts react to each other. */
function reactions(parts: Reacting): EmitPower {
  const { restorer, breaker, past, cycles, outletWatch, clock } = parts;
  return (event) => {
    switch (event.type) {
      case 'cycle':
        past.note(event.record);
        // An off may be a person's from now on, or no longer.
        if (event.record.action !== 'cycle') outletWatch.follow();
        break;
      case 'controller':
        if (event.controller.state !== 'down') restorer.hurry();
        cycles.giveTurns();
        break;
      case 'read':
        outletWatch.noteReadings(event.controller, event.readings, clock.now());
        break;
      case 'turned-on':
        breaker.turnedOn(event.controller);
        break;
      case 'restored':
        cycles.giveTurns();
        break;
      default:
    }
  };
}
