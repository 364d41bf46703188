/** Opens the parts of the router backup, connects them by events, and is ready while its journal is open. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { routerBackupApi } from '@skolo/api';
import { errorText, repeat } from '@skolo/base';
import {
  createApp,
  createEvents,
  Locks,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  StateJournal,
} from '@skolo/common';
import { models as rackModels } from '@skolo/equipment/models';
import type { CreateBackup } from '@skolo/equipment/models/backup';
import { loadBackups } from '@skolo/equipment/models/load';
import { HostKeys } from '@skolo/equipment/transports';
import type { Equipment, Rack } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { type BackupEvent, type EmitBackup, logEvents } from './events.ts';
import { Store } from './history/store.ts';
import { Versions, type VersionsDeps } from './history/versions.ts';
import { JumphostBackup } from './jumphost/backup.ts';
import { Notices } from './notices/index.ts';
import { OffsiteCopies } from './offsite/copies.ts';
import { HistoryLoss } from './offsite/loss.ts';
import { Stopping } from './outcome.ts';
import { ConnectedHostReadings } from './read/connected-hosts.ts';
import { Fetch } from './read/fetch.ts';
import { PowerDaemon } from './read/power-daemon.ts';
import { Transcripts } from './read/transcript.ts';
import { createMetrics } from './report/metrics.ts';
import { notify } from './report/notify.ts';
import { Webhook } from './report/webhook.ts';
import { DeviceRestores } from './restore/device.ts';
import { HistoryRestore } from './restore/history.ts';
import { Attempts, type AttemptsDeps } from './runs/attempts.ts';
import { Inventory } from './runs/inventory.ts';
import { Planner } from './runs/planner.ts';
import { Runs, type RunsDeps } from './runs/runs.ts';
import { State } from './state.ts';
import { openMaskKey } from './texts/mask-key.ts';
import { Texts } from './texts.ts';

/** What a test may replace. */
export interface RouterBackupDeps {
  models?: ReadonlyMap<string, CreateBackup>;
  retryPauses?: RunsDeps['retryPauses'];
  power?: AttemptsDeps['power'];
  /** Pause between attempts to open journal and repository, and to write what they rejected, in milliseconds. */
  openEveryMs?: number;
  /** How often the planner looks for due devices. */
  lookEveryMs?: number;
  /** Default: a thread of its own. */
  texts?: Texts;
}

export function createRouterBackup(deps: RouterBackupDeps = {}): ServiceDefinition {
  return {
    name: 'router-backup',
    api: routerBackupApi,
    signsInTo,
    start: (context) => start(context, deps),
  };
}

function signsInTo(rack: Rack): Equipment[] {
  return [...rack.equipment.values()].filter(({ model, backup: isBackedUp }) => {
    const { backup = {}, connectedHosts = {} } = rackModels.get(model) ?? {};
    return (isBackedUp && 'load' in backup) || 'load' in connectedHosts;
  });
}

async function start(context: ServiceContext, replaced: RouterBackupDeps): Promise<Service> {
  const { rack: watched, log, degraded } = context;
  const { openEveryMs: retryMs = 5000 } = replaced;
  const stopping = new AbortController();
  // Hundreds of devices may listen to it.
  setMaxListeners(0, stopping.signal);
  const { emit, consume } = createEvents<BackupEvent>();
  const parts = await createParts(context, replaced, { emit, signal: stopping.signal, retryMs });
  const { journal, state, store, copies, loss, sources, versions } = parts;
  const { webhook, runs, planner, notices, restores, texts } = parts;

  const edges = {
    logEvent: logEvents(log),
    count: createMetrics(context.metrics, { sources, store, loss, copies }),
    degraded,
    log,
  };
  consume((event) => react(event, { ...edges, webhook, versions, copies, runs, planner, notices }));

  await journal.open((opened) => state.load(opened) + copies.load(opened));
  await store.start(loss);
  await journal.whenOpen(async () => {
    await startParts(parts);
    journal.onWell();
  });
  const stopFollowing = watched.onChange(() => {
    runs.follow();
    if (!journal.isOpen) return;
    for (const part of [planner, notices, copies]) void part.follow();
  });
  for (const work of [
    () => state.flush(),
    () => copies.flush(),
    () => copies.follow(),
    () => store.maintain(),
  ]) {
    repeat(retryMs, work, context.signal, 'later');
  }

  return {
    handler: createApp(context, {
      api: routerBackupApi,
      handlers: apiHandlers(parts, context.audit),
    }),
    readiness: () => ({ ready: journal.isOpen, degraded: [] }),
    async stop() {
      stopFollowing();
      const { stopWithin } = watched.rack.services['router-backup'];
      await restores.windDown(Math.max(0, stopWithin - 2) * 1000);
      stopping.abort(new Stopping());
      // The thread first, because others wait for it.
      for (const part of [texts, notices, planner, runs, webhook, copies, store]) {
        await part.close();
      }
      await journal.close(() => state.flush());
    },
  };
}

type Parts = Awaited<ReturnType<typeof createParts>>;

interface Connections {
  emit: EmitBackup;
  /** Aborted when the service stops. */
  signal: AbortSignal;
  retryMs: number;
}

type TextParts = Pick<VersionsDeps, 'models' | 'maskKey' | 'texts'>;

/** Creates the stores: journal, history, archives of the jumphost, off-site copies. */
function createStorage(
  context: ServiceContext,
  { models, maskKey, texts }: TextParts,
  { emit, signal, retryMs }: Connections,
) {
  const { log, clock, stateDir, lastSuccess, degraded } = context;
  const { file: rackFile } = context.rack;
  const rack = () => context.rack.rack;
  const afterDamage = 'check that skolo backup status lists all equipment';
  const journal = new StateJournal({ stateDir, log, degraded, afterDamage, retryMs, signal });
  const state = new State(journal);
  const store = new Store({ rack, stateDir, clock, log, emit, signal });
  const jumphost = new JumphostBackup({ rack, stateDir, clock, emit, rackFile });
  const versions = new Versions({ rack, models, maskKey, texts, store, jumphost });
  const offsite = { rack, stateDir, clock, log, emit, lastSuccess, tables: journal, versions };
  const copies = new OffsiteCopies(offsite);
  const loss = new HistoryLoss({ clock, log, emit, state, journal, versions, copies });
  const historyRestore = new HistoryRestore({ rack, stateDir, emit, signal, store, loss, copies });
  return { journal, state, store, jumphost, versions, copies, loss, historyRestore };
}

/** Creates all parts; events connect them later. */
async function createParts(
  context: ServiceContext,
  {
    models: given,
    power: fake,
    retryPauses,
    lookEveryMs: everyMs,
    texts = new Texts(),
  }: RouterBackupDeps,
  connections: Connections,
) {
  const { log, clock, stateDir, lastSuccess, crashNotes } = context;
  const { emit, signal } = connections;
  const rack = () => context.rack.rack;
  const models = given ?? (await loadBackups());
  const maskKey = await openMaskKey(stateDir, log);
  const storage = createStorage(context, { models, maskKey, texts }, connections);
  const { state, store, jumphost, versions, copies } = storage;
  const hostKeys = new HostKeys(join(stateDir, 'host-keys.json'));
  await hostKeys.load();
  const locks = new Locks();
  const power = fake ?? new PowerDaemon({ rack, log, clock });
  const transcripts = new Transcripts(join(stateDir, 'transcripts'), { maskKey, texts });
  const fetch = new Fetch({ rack, models, hostKeys, scratch: join(stateDir, 'scratch') });
  const inventory = new Inventory({ rack, clock, log, emit, state, store });
  const attempts = new Attempts({
    rack,
    clock,
    emit,
    lastSuccess,
    jumphost,
    fetch,
    store,
    versions,
    state,
    power,
    transcripts,
  });
  const doing = { locks, crashNotes, power };
  const queueing = { rack, clock, log, emit, signal, state, attempts, retryPauses, ...doing };
  const runs = new Runs(queueing);
  const masking = { texts, maskKey, transcripts };
  const restoring = { rack, signal, fetch, attempts, versions, state, ...masking, ...doing };
  const asking = { rack, clock, signal, fetch, transcripts, ...doing };
  return {
    ...storage,
    texts,
    hostKeys,
    fetch,
    inventory,
    runs,
    restores: new DeviceRestores(restoring),
    connectedHosts: new ConnectedHostReadings(asking),
    planner: new Planner({ rack, clock, log, state, runs, inventory, versions, everyMs }),
    notices: new Notices({ rack, log, emit }),
    webhook: new Webhook({ rack, log, emit, clock }),
    sources: { rack, clock, lastSuccess, state, runs, versions, transcripts, inventory, copies },
  };
}

/** Starts the parts that depend on the journal, which knows the last process's runs. */
async function startParts(parts: Parts): Promise<void> {
  const { fetch, historyRestore, loss, runs, planner, notices, copies } = parts;
  // Not earlier: another service may be using the state directory.
  await fetch.clear();
  await historyRestore.clear();
  await loss.review();
  runs.resume();
  await planner.start();
  await notices.follow();
  await copies.start();
}

interface Reacting
  extends Pick<Parts, 'webhook' | 'versions' | 'copies' | 'runs' | 'planner' | 'notices'>,
    Pick<ServiceContext, 'degraded' | 'log'>,
    Record<'logEvent' | 'count', EmitBackup> {}

/** All that an event leads to, in this order. */
function react(event: BackupEvent, parts: Reacting): void {
  const { logEvent, count, degraded, webhook, versions, copies, runs, planner, notices, log } =
    parts;
  if (event.type === 'degraded') degraded.set(event.what, event.why, event.code);
  logEvent(event);
  count(event);
  void notify(event, { webhook, versions, log });
  switch (event.type) {
    case 'version-stored':
      copies.add(event.version);
      break;
    case 'history-writable':
      runs.retryStorage();
      void planner.check({ isDiskWell: true });
      break;
    case 'device-done':
      if (event.run.origin === 'notice') {
        notices.outcome(event.device, event.outcome.result === 'changed');
      }
      break;
    case 'device-changed': {
      const { device, notice } = event;
      const request = { devices: [device], origin: 'notice', by: device, reason: notice } as const;
      runs.start(request).catch((error: unknown) => {
        // It has left rack.yaml since.
        log.info({ device, why: errorText(error) }, 'notice cannot be processed');
      });
      break;
    }
  }
}
