/** The router backup, wired: nothing here decides, everything is told what it needs. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { routerBackupApi } from '@skolo/api';
import {
  createApp,
  errorText,
  type OpenJournalDeps,
  openJournal,
  pause,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
  tryOpenJournal,
} from '@skolo/common';
import type { Journal, TablesDeps } from '@skolo/durable';
import { HostKeys } from '@skolo/equipment';
import { models as rackModels } from '@skolo/models';
import { loadBackups } from '@skolo/models/backup';
import { createMask } from '@skolo/models/configuration';
import { checkSecrets as checkReferences, type Rack } from '@skolo/rack';
import { readCredentials } from '@skolo/secrets';
import { apiHandlers } from './api.ts';
import { Backup, type BackupDeps, Stopping } from './backup.ts';
import { Fetch, type FetchDeps } from './fetch.ts';
import { HistoryRestore } from './history-restore.ts';
import { Inventory } from './inventory.ts';
import { JumphostBackup } from './jumphost-backup.ts';
import { Locks } from './locks.ts';
import { knownOf, LostHistory } from './lost-history.ts';
import { readMaskKey } from './mask-key.ts';
import { createMetrics } from './metrics.ts';
import { Notices } from './notices/index.ts';
import { Planner } from './planner.ts';
import { PowerDaemon } from './power-daemon.ts';
import { Readable } from './readable.ts';
import { Restores } from './restore.ts';
import { Runs, type RunsDeps } from './runs.ts';
import type { View } from './shown.ts';
import { State } from './state.ts';
import { Store } from './store.ts';
import { Teller } from './tell.ts';
import { Transcripts } from './transcript.ts';
import { localVersions } from './uploads/local-versions.ts';
import { Uploads } from './uploads.ts';
import { Versions } from './versions.ts';
import { Webhook } from './webhook.ts';

/** What a test may replace. */
export interface RouterBackupDeps {
  models?: FetchDeps['models'];
  retryPauses?: RunsDeps['retryPauses'];
  power?: BackupDeps['power'];
  /** Pause between attempts to open journal and repository, and to write what they did not take, in milliseconds. */
  openEveryMs?: number;
  /** How often is looked at what is due. */
  lookEveryMs?: number;
  checkEveryMs?: number;
}

const journalTrouble = 'journal';
const settingsOf = 'services.router-backup.';
const minuteMs = 60_000;
/** How long a power cycle is waited for, in milliseconds, before the device counts as busy. */
const patience = { byHand: minuteMs, byItself: 10 * minuteMs };
const usualPauses = { byHand: [], byItself: [0.5 * minuteMs, 3 * minuteMs, 15 * minuteMs] };

export function createRouterBackup(deps: RouterBackupDeps = {}): ServiceDefinition {
  return {
    name: 'router-backup',
    api: routerBackupApi,
    checkSecrets,
    start: (context) => start(context, deps),
  };
}

/** Those of the logins by which something is read, and of the places that something is sent to. */
async function checkSecrets(rack: Rack): Promise<string[]> {
  const problems: string[] = [];
  const read = [...rack.infrastructure.values()].filter(
    ({ model, backup }) => backup && 'load' in (rackModels.get(model)?.backup ?? {}),
  );
  for (const login of new Set(read.flatMap(({ login: name }) => name ?? []))) {
    await readCredentials(rack, login).catch((error: unknown) => {
      problems.push(`logins.${login}: ${errorText(error)}`);
    });
  }
  for (const { where, error } of await checkReferences(rack, 'router-backup')) {
    // The files of TLS are looked at for every service alike.
    const isOurs = where.startsWith(settingsOf) && !where.startsWith(`${settingsOf}tls.`);
    if (isOurs && error !== undefined) problems.push(`${where}: ${errorText(error)}`);
  }
  return problems;
}

async function start(context: ServiceContext, deps: RouterBackupDeps): Promise<Service> {
  const { rack: watched, log, clock, degraded, stateDir, lastSuccess } = context;
  const { openEveryMs = 5000, models = await loadBackups() } = deps;
  const rack = () => watched.rack;
  const stopping = new AbortController();
  // Hundreds of devices may wait, and each of them wants to hear of it.
  setMaxListeners(0, stopping.signal);

  let journal: Journal | undefined;
  const disk: TablesDeps = {
    journal: () => journal,
    onTrouble: (error) => degraded.raise(journalTrouble, errorText(error)),
    onWell: () => degraded.clear(journalTrouble),
  };
  const state = new State(disk);
  const journalDeps: OpenJournalDeps = {
    stateDir,
    log,
    signal: stopping.signal,
    retryMs: openEveryMs,
    onTrouble: (why) => degraded.raise(journalTrouble, why),
    // Until the next start: only a person knows whether what was lost matters.
    onDamage: (what) =>
      degraded.raise(
        'journal damaged',
        `${what}; compare skolo backup status with what should be there`,
      ),
    load(opened) {
      const unreadable = state.load(opened) + offsite.load(opened);
      if (unreadable > 0)
        log.error({ unreadable }, 'journal has records that cannot be understood');
    },
  };
  const hostKeys = new HostKeys(join(stateDir, 'host-keys.json'));
  await hostKeys.load();
  const mask = createMask(await readMaskKey(stateDir, log));
  const transcripts = new Transcripts(join(stateDir, 'transcripts'), mask);
  const store: Store = new Store({
    stateDir,
    rack: rack().name,
    log,
    degraded,
    retryMs: openEveryMs,
    checkEveryMs: deps.checkEveryMs ?? 24 * 60 * minuteMs,
    signal: stopping.signal,
    beforeNew: () => lost.beforeNew(),
    onOpened: () => lost.review(),
    onWell() {
      runs.diskIsWell();
      void planner.look({ isDiskWell: true });
    },
  });
  const fetch = new Fetch({ rack, hostKeys, scratch: join(stateDir, 'scratch'), models });
  const jumphost = new JumphostBackup({
    rack,
    rackFile: watched.file,
    stateDir,
    state,
    lastSuccess,
    clock,
    log,
    onVersion: (version) => offsite.add(version),
  });
  const isArchived = (name: string) => name === rack().jumphost.name;
  const versions = new Versions({ store, archives: jumphost, isArchived });
  const offsite: Uploads = new Uploads({
    ...disk,
    rack,
    stateDir,
    versions: localVersions({ store, versions, jumphost, isArchived }),
    lastSuccess,
    degraded,
    clock,
    log,
  });
  const lost: LostHistory = new LostHistory({
    state,
    versions,
    isKnown: () => journal !== undefined,
    unsent: (device) =>
      offsite.unsent(device).map(({ version: id, ...record }) => knownOf({ id, ...record })),
    degraded,
    clock,
    log,
  });
  const historyRestore = new HistoryRestore({
    stateDir,
    rack: () => rack().name,
    store,
    lost,
    onRestored: (ids) => offsite.restored(ids),
    log,
    signal: stopping.signal,
  });
  const readable = new Readable({ rack, versions, mask, models });
  const locks = new Locks();
  const power = deps.power ?? new PowerDaemon({ rack, log, clock });
  const backup = new Backup({
    rack,
    fetch,
    store,
    state,
    transcripts,
    lastSuccess,
    power,
    clock,
    log,
    onVersion: (version) => offsite.add(version),
  });
  const runs: Runs = new Runs({
    rack,
    state,
    locks,
    clock,
    log,
    attempt: ({ device }, occasion, signal) =>
      device === undefined
        ? jumphost.attempt(occasion, signal)
        : backup.attempt(device, occasion, signal),
    whenFree: (device, isByHand, signal) =>
      whenFree(power, device, isByHand ? patience.byHand : patience.byItself, signal),
    retryPauses: deps.retryPauses ?? usualPauses,
    onOutcome(run, { name }, outcome) {
      metrics.attempted(name, outcome);
      if (run.origin === 'notice') notices.outcome(name, outcome.result === 'changed');
      void teller.outcome(run, name, outcome);
    },
    onFinished(run) {
      metrics.ran(run);
      teller.finished(run);
    },
    signal: stopping.signal,
  });
  const inventory = new Inventory({ rack, state, store, clock, log, degraded });
  const planner: Planner = new Planner({
    rack,
    state,
    runs,
    inventory,
    clock,
    log,
    hasVersion: (device) =>
      versions.newest(device).then(
        (newest) => newest !== undefined,
        () => true,
      ),
    ...(deps.lookEveryMs !== undefined && { everyMs: deps.lookEveryMs }),
  });
  const webhook = new Webhook({ rack, log, clock, onOutcome: (outcome) => metrics.told(outcome) });
  const teller = new Teller({ webhook, readable, log });
  const notices: Notices = new Notices({
    rack,
    log,
    degraded,
    onChange(device, notice) {
      const request = { devices: [device], origin: 'notice', by: device, reason: notice } as const;
      runs.begun(request).catch((error: unknown) => {
        // It has left rack.yaml since.
        log.info({ device, why: errorText(error) }, 'notice is not followed');
      });
    },
  });
  const restores = new Restores({
    rack,
    fetch,
    backup,
    versions,
    readable,
    locks,
    power,
    transcripts,
    signal: stopping.signal,
  });
  const view: View = {
    rack,
    state,
    runs,
    versions,
    transcripts,
    lastSuccess,
    clock,
    inventoryProblem: () => inventory.problem,
    offsite: (_device, version) => offsite.stateOf(version),
  };
  const metrics = createMetrics(context.metrics, {
    view: () => view,
    store: () => store,
    lost: () => lost,
    offsite: () => offsite,
  });

  journal = await tryOpenJournal(journalDeps);
  await store.start();
  /** Nothing begins by itself before it is known what was. */
  async function begin(): Promise<void> {
    // Not before: another service may have the state directory, and be reading into it.
    await fetch.clear();
    await historyRestore.clear();
    await noticeLostJournal();
    await lost.review();
    runs.resume();
    await planner.start();
    await notices.follow();
    await offsite.start();
    degraded.clear(journalTrouble);
  }
  /** What was in it is gone, and the history is not: it is not a new rack. */
  async function noticeLostJournal(): Promise<void> {
    if (state.devices.all.size + state.runs.all.size + state.marks.all.size > 0) return;
    const devices = await versions.inHistory().catch(() => []);
    if (devices.length === 0) return;
    offsite.sendAll();
    log.error({ devices: devices.length }, 'journal lost');
    degraded.raise(
      'journal lost',
      `the journal is new, and the history has ${devices.length} devices: which serial numbers and host names belong to them is not known until each is read again, and which had left rack.yaml; every version is sent off site again. Compare skolo backup status with what you know; a restart of the service ends this message`,
    );
  }
  const opening = journal === undefined ? openLater() : begin();
  async function openLater(): Promise<void> {
    journal = await openJournal(journalDeps);
    if (journal !== undefined) await begin();
  }
  if (journal !== undefined) await opening;

  const stopFollowing = watched.onChange(() => {
    runs.follow();
    if (journal === undefined) return;
    void planner.follow();
    void notices.follow();
    void offsite.follow();
  });
  const flushing = setInterval(() => {
    void state.flush();
    void offsite.flush();
    void store.look();
  }, openEveryMs);

  return {
    handler: createApp({
      ...context,
      api: routerBackupApi,
      handlers: apiHandlers({
        rack,
        view,
        runs,
        inventory,
        state,
        versions,
        readable,
        restores,
        transcripts,
        offsite,
        hostKeys,
        lost,
        historyRestore,
        audit: context.audit,
        clock,
      }),
    }),
    readiness: () => ({ ready: journal !== undefined, degraded: [] }),
    async stop() {
      stopFollowing();
      clearInterval(flushing);
      await restores.windDown(Math.max(0, rack().services['router-backup'].stopWithin - 2) * 1000);
      stopping.abort(new Stopping());
      await notices.close();
      await planner.stop();
      await runs.close();
      await webhook.close();
      await offsite.close();
      await store.close();
      await opening;
      await state.flush();
      await journal?.close();
    },
  };
}

/** Waits until nobody wants to power-cycle the device, but not for ever. */
async function whenFree(
  power: Pick<PowerDaemon, 'wanted'>,
  device: string,
  mostMs: number,
  signal: AbortSignal,
): Promise<void> {
  const everyMs = 2000;
  for (let waitedMs = 0; waitedMs < mostMs; waitedMs += everyMs) {
    if (!(await power.wanted(signal)).has(device)) return;
    await pause(everyMs, signal);
  }
}
