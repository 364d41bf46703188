/** Connects the parts of alert-to-pubsub, and decides when it is ready: while it accepts alerts. */
import { join } from 'node:path';
import { createSinks, encodeAsOf, pubSubName } from '@skolo/alerts';
import { alertToPubsubApi } from '@skolo/api';
import {
  alertmanagerUrl,
  createApp,
  createEvents,
  type Service,
  type ServiceContext,
  type ServiceDefinition,
} from '@skolo/common';
import { type AlertToPubsubSettings, type Rack, serviceUrl } from '@skolo/rack';
import { apiHandlers } from './api.ts';
import { check } from './check.ts';
import { Maintenance, type Periods } from './delivery/maintenance.ts';
import { type ConfiguredSink, Sinks } from './delivery/sinks.ts';
import { createEventLog } from './event-log.ts';
import type { AlertEvent, EmitAlertEvent } from './events.ts';
import { Intake } from './intake/intake.ts';
import { createNotices } from './intake/notices.ts';
import { createMetrics } from './metrics.ts';
import { ReceiverAuth } from './receive/auth.ts';
import { createReceivers } from './receive/receivers.ts';
import { ArrivedFile } from './state/arrived.ts';
import { Capacity } from './state/capacity.ts';
import { Damage } from './state/damage.ts';
import { DeadLetters } from './state/dead-letters.ts';
import { ReadingNote } from './state/reading-note.ts';
import { Store } from './state/store.ts';
import { SuccessTimes } from './state/success-times.ts';
import { createStatus, type Status } from './status.ts';
import { Heartbeat } from './watch/heartbeat.ts';
import { Looks, unseenWithoutUrl } from './watch/looks.ts';
import { timesBefore, Watchdog } from './watch/watchdog.ts';

/** @param periods that a test may shorten */
export function createAlertToPubsub(periods: Partial<Periods> = {}): ServiceDefinition {
  return {
    name: 'alert-to-pubsub',
    api: alertToPubsubApi,
    serverOptions: { requestTimeout: 30_000 },
    check,
    notes: (rack) => (alertmanagerUrl(rack) === undefined ? [unseenWithoutUrl(rack)] : []),
    start: (context) => start(context, periods),
  };
}

async function start(context: ServiceContext, periods: Partial<Periods>): Promise<Service> {
  const { rack: watched, log, clock, degraded, stateDir, version } = context;
  const rack = () => watched.rack;
  const settings = () => rack().services['alert-to-pubsub'];
  const location = () => settings().location ?? rack().name;
  const events = createEvents<AlertEvent>();
  const { emit } = events;

  const times = new SuccessTimes(context.lastSuccess, clock);
  const mostLetterBytes = () => settings().spool.deadLetterBytes;
  const deadLetters = new DeadLetters(join(stateDir, 'dead-letters'), mostLetterBytes);
  const capacity = new Capacity({ settings, emit });
  const senderStart = (externalURL: string) => looks.startOf(externalURL);
  const intake = new Intake({ rack, settings, capacity, deadLetters, clock, emit, senderStart });
  const arrived = new ArrivedFile(stateDir);
  const sinks = new Sinks({ deadLetters, intake, times, arrived, clock, emit });
  const store = new Store({ stateDir, settings, deadLetters, arrived, clock });
  const note = new ReadingNote(stateDir);
  const { signal } = context;
  const parts = { intake, store, note, sinks, capacity, clock, emit, periods, signal };
  const maintenance = new Maintenance(parts);
  const before = timesBefore(times, configuredSinks(rack()));
  const watchdog = new Watchdog({ settings, capacity, before, times, clock, emit });
  const heartbeat = new Heartbeat({
    targets: () => sinks.heartbeatTargets(),
    every: () => settings().heartbeatSeconds,
    health: () => watchdog.status(),
    version,
    clock,
    emit,
  });
  const looks = new Looks({ rack, stateDir, intake, degraded, clock, periods });
  const damage = new Damage({ location, clock });
  const status = createStatus({ settings, intake, capacity, damage, watchdog, sinks, looks });

  const count = createMetrics(context.metrics, status);
  const logEvent = createEventLog(log, clock);
  const notify = createNotices({ intake, location, clock, emit });
  const effects = { count, logEvent, notify, degraded, sinks, watchdog, damage };
  events.consume((event) => react(event, effects));

  await sinks.follow(configuredSinks(rack()));
  await maintenance.start();
  heartbeat.start();
  await looks.start();
  const unfollow = watched.onChange(() => {
    void sinks.follow(configuredSinks(rack()));
    heartbeat.follow();
  });

  return {
    handler: createHandler({ context, settings, intake, deadLetters, status, location, emit }),
    readiness() {
      capacity.report();
      const parts = [damage.current ?? [], watchdog.degraded(), sinks.degraded()];
      const ready = capacity.rejecting === undefined;
      return { ready, degraded: parts.flat(), passing: looks.passing };
    },
    async stop() {
      unfollow();
      await maintenance.stop();
      await looks.stop();
      await heartbeat.stop();
      await intake.close();
      await sinks.stop(Math.max(0.5, settings().stopWithin - 6) * 1000);
      await store.close();
    },
  };
}

interface Effects extends Record<'count' | 'logEvent' | 'notify', EmitAlertEvent> {
  degraded: ServiceContext['degraded'];
  sinks: Sinks;
  watchdog: Watchdog;
  damage: Damage;
}

/** All that an event leads to, in this order. */
function react(event: AlertEvent, effects: Effects): void {
  const { count, logEvent, notify, degraded, sinks, watchdog, damage } = effects;
  count(event);
  logEvent(event);
  notify(event);
  switch (event.type) {
    case 'degraded':
      degraded.set(event.what, event.why, event.code);
      break;
    case 'sent':
      sinks.noteSent(event.sink);
      break;
    case 'heartbeat-sent':
      sinks.noteHeartbeat(event.sink);
      break;
    case 'heartbeat-failed':
      sinks.noteHeartbeatFailure(event);
      break;
    case 'received':
      watchdog.noteReceived(event.received);
      break;
    case 'spool-damaged':
    case 'known-alerts-lost':
      damage.note(event);
      break;
  }
}

interface HandlerDeps {
  context: ServiceContext;
  settings(): AlertToPubsubSettings;
  intake: Intake;
  deadLetters: DeadLetters;
  status: Status;
  location(): string;
  emit: EmitAlertEvent;
}

/** The endpoints that receive alerts, followed by the APIs. */
function createHandler(deps: HandlerDeps): Service['handler'] {
  const { context, settings, intake, deadLetters, status, location, emit } = deps;
  const { rack, clock, metrics } = context;
  const auth = new ReceiverAuth({ rack: () => rack.rack, settings, emit });
  const receive = createReceivers({ intake, auth, settings, clock, metrics, emit });
  const handlers = apiHandlers({ status, location, deadLetters, intake, clock });
  const app = createApp(context, { api: alertToPubsubApi, handlers });
  return (request, response) => receive(request, response, () => app(request, response));
}

/** The sinks that rack.yaml configures. */
function configuredSinks(rack: Rack): ConfiguredSink[] {
  const settings = rack.services['alert-to-pubsub'];
  const common = { encodeAs: encodeAsOf(rack), dir: rack.dir };
  const { project, topic, createTopic, endpoint, credentials, orderingKeys } = settings;
  return createSinks(rack).map((sink): ConfiguredSink => {
    const { name } = sink;
    const create = () => sink;
    const further = settings.sinks.find((each) => each.name === name);
    if (further !== undefined) {
      const { kind, heartbeat, refreshes: wanted, dropWhenFull, ...own } = further;
      const refreshes = wanted ?? !('template' in own);
      const flags = { heartbeat, refreshes, dropWhenFull };
      return { name, kind, settings: { kind, own, common }, ...flags, create };
    }
    const metadataUrl = serviceUrl(rack, 'metadata-server');
    const own = { project, topic, createTopic, endpoint, credentials, orderingKeys, metadataUrl };
    const flags = { heartbeat: true, refreshes: true, dropWhenFull: false };
    return { name: pubSubName, kind: 'pubsub', settings: { own, common }, ...flags, create };
  });
}
