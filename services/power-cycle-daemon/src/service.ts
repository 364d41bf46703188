/** The power-cycle daemon, wired: nothing here decides, everything is told what it needs. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { type PowerCycle, powerCycleDaemonApi } from '@skolo/api';
import {
  type BackOffOptions,
  createApp,
  errorText,
  type OpenJournalDeps,
  openJournal,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  tryOpenJournal,
} from '@skolo/common';
import type { Journal } from '@skolo/durable';
import { HostKeys, SessionPool } from '@skolo/equipment';
import { models } from '@skolo/models';
import { type DriverDeps, type DriverKind, loadDrivers } from '@skolo/models/outlets';
import type { Rack } from '@skolo/rack';
import { readCredentials } from '@skolo/secrets';
import { apiHandlers, shown } from './api.ts';
import { AuditTrail } from './audit-trail.ts';
import { Controllers, type CreateUsbHub } from './controllers.ts';
import { Cycles } from './cycles.ts';
import { Doors, type DoorsDeps } from './doors/index.ts';
import { Events } from './events.ts';
import { canBeSeen } from './hands.ts';
import { Holds } from './holds.ts';
import { usualWatch, type WatchTuning } from './machines/watch.ts';
import { createMetrics } from './metrics.ts';
import { OnProofs } from './on-proofs.ts';
import { OutletWatch } from './outlet-watch.ts';
import { OwnDevices } from './own-devices.ts';
import { PastCycles } from './past-cycles.ts';
import { whyNoLonger } from './policy.ts';
import { type Patience, usualPatience } from './prove.ts';
import type { CycleRecord } from './records.ts';
import { Repair, type RepairDeps } from './repair/repair.ts';
import { Requests } from './requests.ts';
import { Restorer } from './restorer.ts';
import type { View } from './shown.ts';
import { Store } from './store.ts';
import { createUsbHub } from './usb-hub.ts';

/** What a test may replace. */
export interface PowerCycleDaemonDeps {
  drivers?: ReadonlyMap<string, DriverKind>;
  patience?: Patience;
  /** Between attempts to turn on what is owed. */
  backOff?: BackOffOptions;
  watch?: WatchTuning;
  /** Pause between attempts to reach a controller, in milliseconds. */
  contactPauseMs?: number;
  /** Pause between attempts to open the journal, or to write what it did not take. */
  flushEveryMs?: number;
  createUsbHub?: CreateUsbHub;
  doors?: Pick<DoorsDeps, 'retryMs' | 'timeouts'>;
  repair?: Pick<RepairDeps, 'everyMs' | 'reach'>;
}

const journalTrouble = 'journal';

export function createPowerCycleDaemon(deps: PowerCycleDaemonDeps = {}): ServiceDefinition {
  return {
    name: 'power-cycle-daemon',
    api: powerCycleDaemonApi,
    checkSecrets,
    start: (context) => start(context, deps),
  };
}

/** Those of the logins by which something is switched. */
async function checkSecrets(rack: Rack): Promise<string[]> {
  const problems: string[] = [];
  const switching = [...rack.infrastructure.values()].filter(
    ({ model }) => models.get(model)?.power !== undefined,
  );
  const used = [...switching, ...rack.machines.values()].map(({ login }) => login);
  for (const login of new Set(used.filter((each) => each !== undefined))) {
    await readCredentials(rack, login).catch((error: unknown) => {
      problems.push(`logins.${login}: ${errorText(error)}`);
    });
  }
  return problems;
}

async function start(context: ServiceContext, deps: PowerCycleDaemonDeps): Promise<Service> {
  const { rack: watched, log, clock, degraded, stateDir, audit } = context;
  const rack = () => watched.rack;
  const { patience = usualPatience, watch = usualWatch, contactPauseMs = 5000 } = deps;
  const { flushEveryMs = 5000 } = deps;
  const stopping = new AbortController();
  // Hundreds of cycles may wait, and each of them wants to hear of it.
  setMaxListeners(0, stopping.signal);

  let journal: Journal | undefined;
  const store = new Store({
    journal: () => journal,
    onTrouble: (error) => degraded.raise(journalTrouble, errorText(error)),
    onWell: () => degraded.clear(journalTrouble),
  });
  const journalDeps: OpenJournalDeps = {
    stateDir,
    log,
    signal: stopping.signal,
    retryMs: flushEveryMs,
    onTrouble: (why) => degraded.raise(journalTrouble, why),
    // Until the next start: only a person knows whether what was lost matters.
    onDamage: (what) =>
      degraded.raise(
        'journal damaged',
        `${what}; compare skolo power status with what should be on`,
      ),
    load(opened) {
      const unreadable = store.load(opened);
      if (unreadable > 0)
        log.error({ unreadable }, 'journal has records that cannot be understood');
    },
  };
  journal = await tryOpenJournal(journalDeps);

  const hostKeys = new HostKeys(join(stateDir, 'host-keys.json'));
  await hostKeys.load();
  const sessions = new SessionPool();
  const controllers = new Controllers({
    rack,
    drivers: deps.drivers ?? (await loadDrivers()),
    sessions,
    hostKeys,
    createUsbHub: deps.createUsbHub ?? createUsbHub,
    onConnected: logAlgorithms(log),
    clock,
    onState: ({ name, state, detail }) => {
      log[state === 'up' ? 'info' : 'warn']({ controller: name, state, detail }, 'controller');
      if (state === 'down') degraded.raise(`controller ${name}`, detail ?? 'does not answer');
      else {
        degraded.clear(`controller ${name}`);
        restorer.hurry();
      }
      cycles.giveTurns();
    },
    onRead: (controller, readings) => outletWatch.noteReadings(controller, readings, clock.now()),
  });
  const controller = (name: string) => controllers.get(name);

  const restorer = new Restorer({
    store,
    controller,
    clock,
    patience,
    ...(deps.backOff && { backOff: deps.backOff }),
    staggerSeconds: () => rack().services['power-cycle-daemon'].staggerSeconds,
    signal: stopping.signal,
    onStuck: ({ controller: name, outlet, cycle }, text) => {
      log.error({ outlet: `${name}/${outlet}`, cycle, why: text }, 'stuck off');
      degraded.raise(`outlet ${name}/${outlet}`, `stuck off: ${text}`);
    },
    onPaid: ({ controller: name, outlet, cycle }, wasStuck) => {
      degraded.clear(`outlet ${name}/${outlet}`);
      if (wasStuck) log.warn({ outlet: `${name}/${outlet}`, cycle }, 'no longer stuck off');
      cycles.giveTurns();
    },
    onTurnedOn: (name) => proofs.noteOn(name),
  });
  const proofs = new OnProofs({
    clock,
    debts: () => store.debts.all.values(),
    whyOff: (key) => restorer.whyOff(key),
    isInDoubt: (name) => restorer.isInDoubt(name),
  });
  const outletWatch = new OutletWatch({
    rack,
    store,
    controllers: () => controllers.all(),
    controller,
    patience,
    log,
  });

  const past = new PastCycles(clock);
  const events = new Events();
  const trail = new AuditTrail(audit, log);
  const cycles: Cycles = new Cycles({
    rack,
    store,
    restorer,
    proofs,
    controller,
    hands: {
      rack,
      controller,
      hostKeys,
      clock,
      whyNoLonger: (record, target) => whyNoLonger(target, record, requests.situation()),
      canBeSeen: (target) => canBeSeen(rack(), target),
      patience,
      watch,
      contactPauseMs,
      softTimeoutMs: 10_000,
    },
    clock,
    log,
    onChange,
    signal: stopping.signal,
  });
  const requests = new Requests({
    rack,
    store,
    cycles,
    controllers,
    past,
    proofs,
    clock,
    onRefused: ({ target, code, detail }) => {
      metrics.refused(code);
      log.info({ target, code, detail }, 'refused');
    },
    onTaken(record) {
      onChange(record);
      if (record.action !== 'cycle') outletWatch.follow();
    },
  });
  const view: View = {
    rack,
    store,
    controllers,
    readings: outletWatch.readings,
    proofs,
    requests,
  };
  const metrics = createMetrics(context.metrics, {
    view: () => view,
    active: () => cycles.active(),
    monotonicSeconds: () => clock.uptime(),
  });

  function findCycle(id: string): PowerCycle | undefined {
    const record = store.cycles.get(id);
    return record && shown({ cycles }, record);
  }

  function onChange(record: CycleRecord): void {
    past.note(record);
    metrics.changed(record);
    events.tell(shown({ cycles }, record));
    if (record.phase !== 'finished') return;
    trail.finished(record);
    // A program's off is a wish from now on.
    if (record.action !== 'cycle') outletWatch.follow();
  }

  const take = (request: Parameters<Requests['take']>[0]) =>
    trail.recorded(request, () => requests.take(request));
  const holds = new Holds({ rack, store, clock });
  const ownDevices = new OwnDevices({ rack, clock, take });
  const repair = new Repair({
    rack,
    store,
    controllers,
    take,
    clock,
    log,
    onDecision: metrics.repaired,
    signal: stopping.signal,
    ...deps.repair,
  });
  const doors = new Doors({
    rack,
    log,
    take,
    degraded,
    untilPowerIsProven: (id) => events.until(id, isPowerProven, (each) => findCycle(each)),
    situation: () => requests.situation(),
    cancel: (id, text) => cycles.cancel(id, text),
    record: (entry) => audit.append(entry),
    ...deps.doors,
  });

  /** The power that is owed comes first, then what was under way, then everything else. */
  async function begin(): Promise<void> {
    past.load(store.cycles.all.values());
    await store.flush();
    restorer.payOldDebts();
    await cycles.resume();
    degraded.clear(journalTrouble);
  }
  const opening = journal === undefined ? openLater() : begin();
  async function openLater(): Promise<void> {
    journal = await openJournal(journalDeps);
    if (journal === undefined) return;
    await begin();
    if (!stopping.signal.aborted) outletWatch.follow();
  }
  if (journal !== undefined) await opening;

  outletWatch.follow();
  repair.start();
  await doors.follow();
  const stopFollowing = watched.onChange(() => {
    controllers.follow();
    outletWatch.follow();
    restorer.hurry();
    cycles.giveTurns();
    void doors.follow();
    for (const { what } of degraded.list()) {
      const [kind, name = ''] = what.split(' ');
      if (kind === 'controller' && controllers.get(name) === undefined) degraded.clear(what);
    }
  });
  const flushing = setInterval(() => void store.flush(), flushEveryMs);

  const app = createApp({
    ...context,
    api: powerCycleDaemonApi,
    handlers: apiHandlers({
      view,
      cycles,
      events,
      findCycle,
      holds,
      ownDevices,
      repair,
      restorer,
      hostKeys,
    }),
  });
  return {
    handler: app,
    readiness: () => ({ ready: journal !== undefined, degraded: [] }),
    async stop() {
      stopFollowing();
      clearInterval(flushing);
      await cycles.windDown(
        Math.max(0, rack().services['power-cycle-daemon'].stopWithin - 2) * 1000,
      );
      stopping.abort(new Error('the daemon stops'));
      // At once: others wait for what a device that is slow does not answer. What is unfinished is in the journal.
      const closed = controllers.close();
      await doors.close();
      await repair.close();
      await cycles.close();
      await restorer.close();
      await outletWatch.close();
      await closed;
      await sessions.close();
      await opening;
      await store.flush();
      await journal?.close();
    },
  };
}

/** Its power is on again, or off as a person wanted; whether the machine comes back is another matter. */
function isPowerProven({ outcome, step }: PowerCycle): boolean {
  return outcome !== undefined || step === 'see-back';
}

/** Once for each device, and again when it agrees on others: some day the old ones can be switched off. */
function logAlgorithms(log: ServiceContext['log']): NonNullable<DriverDeps['onConnected']> {
  const known = new Map<string, string>();
  return ({ device, kex, cipher, legacy }) => {
    const now = `${kex} ${cipher}`;
    if (known.get(device) === now) return;
    known.set(device, now);
    log.info({ device, kex, cipher, legacy }, 'ssh');
  };
}
