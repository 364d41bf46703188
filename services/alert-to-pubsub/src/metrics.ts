/** Metrics of alert-to-pubsub. Names and labels are all declared here; the alert rules ask for them. */
import { Endpoint, sinkReasons } from '@skolo/alerts';
import { type GaugeSample, type GaugeSpec, registerGauges } from '@skolo/common';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { EmitAlertEvent } from './events.ts';
import { refusedWhys } from './receive/refused.ts';
import type { SinkView, Status } from './status.ts';

const statuses = ['firing', 'resolved'] as const;
/** Of requests, and of alerts in a request that is accepted otherwise. `machine-full`: its machine has too many. */
const refusals = [...refusedWhys, 'bad', 'machine-full'] as const;

/** Registers the metrics. Gauges read the status; the returned function counts events. */
export function createMetrics(registry: Registry, status: Status): EmitAlertEvent {
  const registers = [registry];
  const counter = <L extends string>(what: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `skolo_alerts_${what}_total`, help, labelNames, registers });
  const received = counter('received', 'Alerts received and accepted.', ['endpoint', 'status']);
  const refused = counter(
    'refused',
    'Requests rejected, and invalid alerts in accepted requests.',
    ['endpoint', 'reason'],
  );
  const transitions = counter('transitions', 'Alerts that began to fire, or were resolved.', [
    'status',
  ]);
  const truncated = counter('truncated', 'Alerts that Alertmanager left out (max_alerts).', []);
  const letters = counter(
    'dead_letters',
    'Invalid alerts, and messages that a sink rejects while it accepts others.',
    ['from'],
  );
  const damaged = counter(
    'spool_damaged_records',
    'Records of the spool that were found damaged or missing.',
    [],
  );
  const dropped = counter('dropped', 'Messages dropped for a sink because the spool was full.', [
    'sink',
  ]);
  const published = counter('published', 'Messages that a sink has accepted.', ['sink']);
  const failures = counter('publish_failures', 'Failed attempts to send to a sink.', [
    'sink',
    'reason',
  ]);
  const heartbeats = counter('heartbeats', 'Heartbeats by outcome: sent, failed.', [
    'sink',
    'outcome',
  ]);
  const duration = new Histogram({
    name: 'skolo_alerts_publish_duration_seconds',
    help: 'Time until a sink has accepted a batch of messages.',
    labelNames: ['sink'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  // An absent counter that begins with 1 is no increase to Prometheus.
  for (const endpoint of Endpoint.options) {
    letters.inc({ from: endpoint }, 0);
    for (const status of statuses) received.inc({ endpoint, status }, 0);
    for (const reason of refusals) refused.inc({ endpoint, reason }, 0);
  }
  for (const status of statuses) transitions.inc({ status }, 0);
  registerGauges(registry, gauges, () => status);
  return function countEvent(event) {
    switch (event.type) {
      case 'received': {
        const { endpoint, firing, resolved, bad, truncated: left } = event.received;
        if (left > 0) truncated.inc(left);
        if (bad.length > 0) letters.inc({ from: endpoint }, bad.length);
        if (event.overShare > 0) refused.inc({ endpoint, reason: 'machine-full' }, event.overShare);
        // What is left out makes the whole request a refused one.
        if (event.leftOut > 0) return;
        if (bad.length > 0) refused.inc({ endpoint, reason: 'bad' }, bad.length);
        if (firing > 0) received.inc({ endpoint, status: 'firing' }, firing);
        if (resolved > 0) received.inc({ endpoint, status: 'resolved' }, resolved);
        return;
      }
      case 'refused':
        return refused.inc({ endpoint: event.endpoint, reason: event.why });
      case 'request-failed':
        return refused.inc({ endpoint: event.endpoint, reason: 'failed' });
      case 'transitions':
        for (const state of statuses) transitions.inc({ status: state }, event[state]);
        return;
      case 'spool-damaged':
        return damaged.inc(event.records);
      case 'known-alerts-lost':
        return damaged.inc(1);
      case 'sink-added': {
        const { sink } = event;
        for (const each of [dropped, published]) each.inc({ sink }, 0);
        letters.inc({ from: sink }, 0);
        for (const reason of sinkReasons) failures.inc({ sink, reason }, 0);
        return;
      }
      case 'sent':
        published.inc({ sink: event.sink }, event.messages);
        return duration.observe({ sink: event.sink }, event.seconds);
      case 'send-failed':
        return failures.inc({ sink: event.sink, reason: event.reason });
      case 'dead-letter':
        return letters.inc({ from: event.sink }, 1);
      case 'dropped':
        return dropped.inc({ sink: event.sink }, event.count);
      case 'heartbeat-sent':
        return heartbeats.inc({ sink: event.sink, outcome: 'sent' });
      case 'heartbeat-failed':
        return heartbeats.inc({ sink: event.sink, outcome: 'failed' });
    }
  };
}

/** Read at each scrape. */
const gauges: Record<string, GaugeSpec<Status>> = {
  skolo_alerts_firing: { help: 'Alerts that fire.', read: (status) => status.firing() },
  skolo_alerts_spool_bytes: {
    help: 'Size of the spool.',
    read: (status) => status.spool().bytes,
  },
  skolo_alerts_spool_max_bytes: {
    help: 'Size of the spool at which alerts are refused.',
    read: (status) => status.spool().maxBytes,
  },
  skolo_alerts_refusing: {
    help: 'Whether alerts are refused now.',
    read: (status) => (status.refusing() ? 1 : 0),
  },
  skolo_alerts_heartbeat_healthy: {
    help: 'Whether the heartbeat reports healthy.',
    read: (status) => Number(status.health().healthy),
  },
  skolo_alerts_last_heard_timestamp_seconds: {
    help: 'When any alert but a test was last received; 0: never.',
    read: (status) => (status.health().lastHeard ?? 0) / 1000,
  },
  skolo_alerts_receiver_silent: {
    help: 'Whether a receiver that is expected to receive alerts has received none for too long.',
    labels: ['receiver'],
    read: (status) =>
      status
        .receivers()
        .filter(({ isExpected }) => isExpected)
        .map(({ name, isSilent }) => [{ receiver: name }, Number(isSilent)]),
  },
  skolo_alerts_spool_depth: ofSinks('Messages that wait for a sink.', ({ depth }) => depth),
  skolo_alerts_spool_oldest_seconds: ofSinks(
    'How long the oldest message has waited for a sink.',
    ({ oldestSeconds }) => oldestSeconds,
  ),
  skolo_alerts_sink_down: ofSinks('Whether a sink accepts no message.', ({ down }) =>
    down ? 1 : 0,
  ),
  skolo_alerts_last_success_timestamp_seconds: ofSinks(
    'When a sink last accepted a message; 0: never.',
    ({ lastSuccess }) => (lastSuccess ?? 0) / 1000,
  ),
  skolo_alerts_heartbeat_last_success_timestamp_seconds: ofSinks(
    'When a sink that receives heartbeats last accepted one; 0: never.',
    ({ wantsHeartbeat, lastHeartbeat = 0 }) => (wantsHeartbeat ? lastHeartbeat / 1000 : undefined),
  ),
};

function ofSinks(help: string, measure: (sink: SinkView) => number | undefined): GaugeSpec<Status> {
  const read = (status: Status) =>
    status.sinks().map((sink): GaugeSample => [{ sink: sink.name }, measure(sink)]);
  return { help, labels: ['sink'], read };
}
