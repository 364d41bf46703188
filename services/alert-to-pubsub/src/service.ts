/** alert-to-pubsub, wired: nothing here decides, everything is told what it needs. */
import { join } from 'node:path';
import { alertToPubsubApi } from '@skolo/api';
import {
  createApp,
  errorText,
  requireRole,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
} from '@skolo/common';
import { checkSecrets as checkReferences, type Rack } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { Damage } from './damage.ts';
import { DeadLetters } from './dead-letters.ts';
import { Heartbeat } from './heartbeat.ts';
import { Hourly } from './hourly.ts';
import { createIds } from './ids.ts';
import { Intake } from './intake.ts';
import { createMetrics } from './metrics.ts';
import { alertmanagerRouter } from './receive/alertmanager-router.ts';
import { DoorAuth } from './receive/auth.ts';
import { createDoors } from './receive/doors.ts';
import { retryDeadLetters } from './retry.ts';
import { Room } from './room.ts';
import { wantedSinks } from './sinks.ts';
import { type Opened, Store } from './store.ts';
import { Upkeep } from './upkeep.ts';
import { shownAlert, type View } from './view.ts';
import { receiverOf, Watchdog } from './watchdog.ts';
import { heard, heardAt, lastAlive, Ways } from './ways.ts';

/** What a test may replace. */
export interface AlertToPubsubDeps {
  /** Pause between attempts to open the spool, in milliseconds. */
  openEveryMs?: number;
  /** How often is looked at what is due, in milliseconds. */
  lookEveryMs?: number;
  /** How often is looked at how large the spool is, in milliseconds. */
  shrinkEveryMs?: number;
}

const diskTrouble = 'spool';

export function createAlertToPubsub(deps: AlertToPubsubDeps = {}): ServiceDefinition {
  return {
    name: 'alert-to-pubsub',
    api: alertToPubsubApi,
    checkSecrets,
    start: (context) => start(context, deps),
  };
}

async function checkSecrets(rack: Rack): Promise<string[]> {
  const problems: string[] = [];
  const settingsOf = 'services.alert-to-pubsub.';
  for (const { where, error } of await checkReferences(rack, 'alert-to-pubsub')) {
    // The files of TLS are looked at for every service alike.
    const isOurs = where.startsWith(settingsOf) && !where.startsWith(`${settingsOf}tls.`);
    if (isOurs && error !== undefined) problems.push(`${where}: ${errorText(error)}`);
  }
  return problems;
}

async function start(context: ServiceContext, deps: AlertToPubsubDeps): Promise<Service> {
  const { rack: watched, log, clock, degraded, stateDir, lastSuccess, version } = context;
  const { openEveryMs = 5000, lookEveryMs = 5000, shrinkEveryMs = 60_000 } = deps;
  const rack = () => watched.rack;
  const settings = () => rack().services['alert-to-pubsub'];
  const location = () => settings().location ?? rack().name;
  const stopping = new AbortController();
  const newId = createIds();
  const setAside = new Hourly();

  const view: View = {
    alerts: () => [...intake.alerts.values()].map(shownAlert),
    firing: () =>
      [...intake.alerts.values()].filter(({ known }) => known.alert.status === 'firing').length,
    spool: () => ({
      bytes: store.spool?.bytes ?? 0,
      maxBytes: settings().spool.maxBytes,
    }),
    refusing: () => room.refusing,
    damage: () => damage.current?.why,
    health: () => watchdog.status(),
    receivers: () => watchdog.receivers(),
    sinks: () => ways.views(),
  };
  const metrics = createMetrics(context.metrics, () => view);
  const deadLetters = new DeadLetters(
    join(stateDir, 'dead-letters'),
    () => settings().spool.deadLetterBytes,
  );
  const room = new Room({
    settings,
    spool: () => store.spool,
    oldestSeconds: () => ways.oldestSeconds,
    makeRoom: () => ways.makeRoom(),
    onTrouble: (why) => degraded.raise(diskTrouble, why),
    onWell: () => degraded.clear(diskTrouble),
  });
  const intake: Intake = new Intake({
    settings,
    spool: () => store.spool,
    refusal: (bytes) => room.refusal(bytes),
    deadLetters,
    newId,
    clock,
    onAccepted: (transitions) => metrics.transitions(transitions),
    onHeard({ door, bad, truncated, names, isReal }) {
      if (truncated > 0) metrics.truncated(truncated);
      if (bad.length > 0) metrics.deadLetters(door, bad.length);
      const receiver = receiverOf(door);
      const now = clock.now();
      let isWatched = false;
      for (const name of names) if (watchdog.heard(name, receiver, now)) isWatched = true;
      if (isReal) ways.mark(heard);
      if (isWatched) ways.mark(heardAt(receiver));
    },
    onDisk: (trouble) => room.disk(trouble),
  });
  const store = new Store({
    stateDir,
    settings,
    known: intake,
    clock,
    log,
    retryMs: openEveryMs,
    signal: stopping.signal,
    onTrouble: (why) => room.closed(why),
  });
  const ways: Ways = new Ways({
    delivery: {
      deadLetters,
      known: { next: () => intake.next, refreshOf: (fingerprint) => intake.refreshOf(fingerprint) },
      notice: (notice) => intake.notify(notice),
      clock,
      log,
    },
    lastSuccess,
    clock,
    log,
    onSink: (sink) => metrics.sink(sink),
    onSent: (sink, messages, seconds) => metrics.sent(sink, messages, seconds),
    onFailed: (sink, { reason }) => metrics.failed(sink, reason),
    onSetAside(sink, why) {
      metrics.deadLetters(sink, 1);
      const count = setAside.count(sink, clock.uptime());
      if (count === undefined) return;
      const text = `${sink}: ${count} messages were set aside as dead letters: ${why}; correct that, then run skolo alerts dead-letters --retry`;
      notify({ notice: 'dead-letters', text, facts: { count, sink } });
    },
    onDropped(sink, count) {
      metrics.dropped(sink, count);
      log.error({ sink, count }, 'messages dropped');
      const text = `the spool was full: ${count} messages that only ${sink} had not got are lost to it`;
      notify({ notice: 'dropped', text, facts: { count }, sink });
    },
  });
  const before = {
    lastHeard: lastSuccess.get(heard),
    lastAlive: lastAlive(lastSuccess, wantedSinks(rack())),
    receivers: {
      prometheus: lastSuccess.get(heardAt('prometheus')),
      alertmanager: lastSuccess.get(heardAt('alertmanager')),
    },
  };
  const watchdog: Watchdog = new Watchdog({
    settings: () => settings().watchdog,
    refusing: () => room.refusing,
    before,
    clock,
    log,
  });
  const heartbeat = new Heartbeat({
    listeners: () => ways.listeners(),
    every: () => settings().heartbeatSeconds,
    health: () => watchdog.status(),
    version,
    clock,
    log,
    onSent(sink) {
      ways.heartbeat(sink);
      metrics.heartbeat(sink, 'sent');
    },
    onFailed(sink, failure) {
      ways.noHeartbeat(sink, failure);
      metrics.heartbeat(sink, 'failed');
    },
  });

  const damage = new Damage({
    location,
    known: () => intake.alerts.size,
    notify,
    count: (records) => metrics.damaged(records),
    clock,
    log,
  });

  /** It may be refused, on a full disk; then the log and the metrics have it alone. */
  function notify(complaint: Parameters<Intake['notify']>[0]): void {
    intake.notify(complaint).catch((error: unknown) => {
      log.warn({ notice: complaint.notice, why: errorText(error) }, 'notice is not told');
    });
  }

  async function begin(opened: Opened): Promise<void> {
    const { spool } = store;
    if (spool === undefined) return;
    room.opened();
    await ways.begin(spool);
    damage.opened(opened);
    upkeep.start();
  }

  const upkeep = new Upkeep({
    intake,
    store,
    ways,
    room,
    clock,
    log,
    lookEveryMs,
    shrinkEveryMs,
    onLooked: (looked) => damage.looked(looked),
  });

  await ways.follow(wantedSinks(rack()));
  const opened = await store.tryOpen();
  const opening = opened === undefined ? openLater() : begin(opened);
  async function openLater(): Promise<void> {
    const later = await store.open();
    if (later !== undefined) await begin(later);
  }
  if (opened !== undefined) await opening;
  heartbeat.start();

  const stopFollowing = watched.onChange(() => {
    void ways.follow(wantedSinks(rack()));
    heartbeat.follow();
  });

  const auth = new DoorAuth({ rack, settings, degraded });
  const take = createDoors({
    ...{ intake, auth, settings, clock, log },
    metrics: context.metrics,
    onReceived({ door, firing, resolved, bad }) {
      if (bad.length > 0) metrics.refused(door, 'bad', bad.length);
      if (firing > 0) metrics.received(door, 'firing', firing);
      if (resolved > 0) metrics.received(door, 'resolved', resolved);
    },
    onRefused: ({ door, why }) => metrics.refused(door, why),
  });
  const retry = (sink: string | undefined) =>
    retryDeadLetters(
      { deadLetters, intake, sinks: () => view.sinks().map(({ name }) => name) },
      sink,
    );
  const startedAt = clock.now();
  const alertmanager = { known: view.alerts, settings, clock, startedAt, version };
  const app = createApp({
    ...context,
    api: alertToPubsubApi,
    handlers: apiHandlers({ view, location, deadLetters, retry }),
    first: [alertmanagerRouter(alertmanager, auth, requireRole(context.access, 'view'))],
  });

  return {
    handler(request, response) {
      if (!take(request, response)) app(request, response);
    },
    readiness() {
      room.tell();
      const lost = damage.current;
      return {
        ready: room.refusing === undefined,
        degraded: lost === undefined ? ways.degraded() : [lost, ...ways.degraded()],
      };
    },
    async stop() {
      stopFollowing();
      stopping.abort();
      await opening;
      await upkeep.stop();
      await heartbeat.stop();
      await intake.close();
      await ways.stop(Math.max(0.5, settings().stopWithin - 6) * 1000);
      await store.close();
    },
  };
}
