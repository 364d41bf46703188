/** Opens the parts of the router backup, connects them by events, and returns the service. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { routerBackupApi } from '@skolo/api';
import { errorText } from '@skolo/base';
import {
  createApp,
  createEvents,
  Locks,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  StateJournal,
} from '@skolo/common';
import { HostKeys } from '@skolo/equipment';
import { models as rackModels } from '@skolo/models';
import { loadBackups } from '@skolo/models/backup';
import type { InfrastructureDevice, Rack } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { type BackupEvent, logEvents } from './events.ts';
import { HistoryLoss } from './history/loss.ts';
import { Readable } from './history/readable.ts';
import { Store } from './history/store.ts';
import { Versions } from './history/versions.ts';
import { JumphostBackup } from './jumphost/backup.ts';
import { Notices } from './notices/index.ts';
import { Uploads } from './offsite/copies.ts';
import { StationReadings } from './read/connected-hosts.ts';
import { Fetch, type FetchDeps } from './read/fetch.ts';
import { openMask } from './read/masking.ts';
import { PowerDaemon } from './read/power-daemon.ts';
import { Transcripts } from './read/transcript.ts';
import { createMetrics } from './report/metrics.ts';
import { notify } from './report/notify.ts';
import { Webhook } from './report/webhook.ts';
import { Restores } from './restore/device.ts';
import { HistoryRestore } from './restore/history.ts';
import { Attempts, Stopping } from './runs/attempts.ts';
import { Backup, type BackupDeps } from './runs/backup.ts';
import { Inventory } from './runs/inventory.ts';
import { Planner } from './runs/planner.ts';
import { Runs, type RunsDeps } from './runs/runs.ts';
import { State } from './state.ts';

/** What a test may replace. */
export interface RouterBackupDeps {
  models?: FetchDeps['models'];
  retryPauses?: RunsDeps['retryPauses'];
  power?: BackupDeps['power'];
  /** Pause between attempts to open journal and repository, and to write what they rejected, in milliseconds. */
  openEveryMs?: number;
  /** How often the planner looks for due devices. */
  lookEveryMs?: number;
}

export function createRouterBackup(deps: RouterBackupDeps = {}): ServiceDefinition {
  return {
    name: 'router-backup',
    api: routerBackupApi,
    signsInTo,
    start: (context) => start(context, deps),
  };
}

/** Devices that are read, be it for a backup or for their stations. */
function signsInTo(rack: Rack): InfrastructureDevice[] {
  return [...rack.infrastructure.values()].filter(({ model, backup: isBackedUp }) => {
    const { backup = {}, stations = {} } = rackModels.get(model) ?? {};
    return (isBackedUp && 'load' in backup) || 'load' in stations;
  });
}

async function start(context: ServiceContext, replaced: RouterBackupDeps): Promise<Service> {
  const { rack: watched, log, clock, stateDir, lastSuccess, audit, degraded } = context;
  const { models = await loadBackups(), openEveryMs: retryMs = 5000, retryPauses } = replaced;
  const rack = () => watched.rack;
  const stopping = new AbortController();
  const { signal } = stopping;
  // Hundreds of devices may listen to it.
  setMaxListeners(0, signal);
  const { emit, consume } = createEvents<BackupEvent>();
  const base = { rack, models, log, clock, stateDir, retryMs };
  const common = { ...base, degraded, lastSuccess, signal, emit };

  const hostKeys = new HostKeys(join(stateDir, 'host-keys.json'));
  await hostKeys.load();
  const mask = await openMask(stateDir, log);
  const afterDamage = 'compare skolo backup status with the devices that you expect';
  const journal = new StateJournal({ ...common, afterDamage });
  const state = new State(journal);
  const transcripts = new Transcripts(join(stateDir, 'transcripts'), mask);
  const store = new Store(common);
  const jumphost = new JumphostBackup({ ...common, rackFile: watched.file });
  const versions = new Versions({ rack, store, jumphost });
  const uploads = new Uploads({ ...common, tables: journal, versions });
  const loss = new HistoryLoss({ ...common, state, journal, versions, uploads });
  const historyRestore = new HistoryRestore({ ...common, store, loss, uploads });
  const readable = new Readable({ ...common, versions, mask });
  const fetch = new Fetch({ ...common, hostKeys, scratch: join(stateDir, 'scratch') });
  const power = replaced.power ?? new PowerDaemon({ rack, log, clock });
  const backup = new Backup({ ...common, fetch, store, state, power });
  const attempts = new Attempts({ ...common, backup, jumphost, fetch, state, transcripts });
  const locks = new Locks();
  const runs = new Runs({ ...common, state, locks, attempts, power, retryPauses });
  const reading = { fetch, backup, attempts, transcripts, locks, power };
  const restores = new Restores({ ...common, ...reading, versions, readable });
  const stations = new StationReadings({ ...common, ...reading });
  const inventory = new Inventory({ ...common, state, store });
  const everyMs = replaced.lookEveryMs;
  const planner = new Planner({ ...common, state, runs, inventory, versions, everyMs });
  const notices = new Notices(common);
  const webhook = new Webhook(common);
  const sources = { ...common, state, runs, versions, transcripts, inventory, uploads };

  consume((event) => event.type === 'degraded' && degraded.set(event.what, event.why));
  consume(logEvents(log));
  consume(createMetrics(context.metrics, { sources, store, loss, uploads }));
  consume((event) => void notify(event, { webhook, readable, log }));
  consume((event) => react(event, { uploads, runs, planner, notices, log }));

  await journal.open((opened) => state.load(opened) + uploads.load(opened));
  await store.start(loss);
  const parts = { fetch, historyRestore, loss, runs, planner, notices, uploads };
  await journal.whenOpen(async () => {
    await begin(parts);
    journal.onWell();
  });
  const stopFollowing = watched.onChange(() => {
    runs.follow();
    if (!journal.isOpen) return;
    for (const part of [planner, notices, uploads]) void part.follow();
  });
  const flushing = setInterval(() => {
    for (const part of [state, uploads]) void part.flush();
    void store.look();
  }, retryMs);

  const served = { readable, restores, stations, uploads, hostKeys, loss, historyRestore };
  const handlers = apiHandlers({ sources, audit, inventory, ...served });
  return {
    handler: createApp({ ...context, api: routerBackupApi, handlers }),
    readiness: () => ({ ready: journal.isOpen, degraded: [] }),
    async stop() {
      stopFollowing();
      clearInterval(flushing);
      await restores.windDown(Math.max(0, rack().services['router-backup'].stopWithin - 2) * 1000);
      stopping.abort(new Stopping());
      for (const part of [notices, planner, runs, webhook, uploads, store]) await part.close();
      await journal.close(() => state.flush());
    },
  };
}

interface Parts {
  fetch: Fetch;
  historyRestore: HistoryRestore;
  loss: HistoryLoss;
  runs: Runs;
  planner: Planner;
  notices: Notices;
  uploads: Uploads;
}

/** Starts what needs the journal: it knows the runs of the last process. */
async function begin(parts: Parts): Promise<void> {
  const { fetch, historyRestore, loss, runs, planner, notices, uploads } = parts;
  // Not before: another service may use the state directory, and be reading into it.
  await fetch.clear();
  await historyRestore.clear();
  await loss.checkJournal();
  await loss.review();
  runs.resume();
  await planner.start();
  await notices.follow();
  await uploads.start();
}

type Reacting = Pick<Parts, 'uploads' | 'runs' | 'planner' | 'notices'> &
  Pick<ServiceContext, 'log'>;

/** Passes events on to the parts that act on them. */
function react(event: BackupEvent, { uploads, runs, planner, notices, log }: Reacting): void {
  switch (event.type) {
    case 'version-stored':
      uploads.add(event.version);
      break;
    case 'history-writable':
      runs.retryStorage();
      void planner.look({ isDiskWell: true });
      break;
    case 'device-done':
      if (event.run.origin === 'notice') {
        notices.outcome(event.device, event.outcome.result === 'changed');
      }
      break;
    case 'device-changed': {
      const { device, notice } = event;
      const request = { devices: [device], origin: 'notice', by: device, reason: notice } as const;
      runs.begun(request).catch((error: unknown) => {
        // It has left rack.yaml since.
        log.info({ device, why: errorText(error) }, 'notice is not followed');
      });
      break;
    }
  }
}
