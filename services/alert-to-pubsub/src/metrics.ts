/** The metrics of alert-to-pubsub. All names and labels are declared here; the alert rules use them. */
import { Endpoint, sinkReasons } from '@skolo/alerts';
import { deliveryStates } from '@skolo/alerts/delivery-state';
import { type GaugeSample, type GaugeSpec, registerGauges } from '@skolo/common';
import { Counter, type Registry } from 'prom-client';
import type { SinkView } from './delivery/sinks.ts';
import type { AlertEvent, EmitAlertEvent } from './events.ts';
import { countInvalid } from './receive/batch.ts';
import { rejectionReasons } from './receive/rejection.ts';
import type { Status } from './status.ts';

const statuses = ['firing', 'resolved'] as const;
/** Of requests, and of alerts in a request that is otherwise accepted. `machine-full`: its machine has too many. */
const rejections = [...rejectionReasons, 'failed', 'bad', 'machine-full'];

/** Their names are between `skolo_alerts_` and `_total`. */
const counters = {
  received: ['Alerts that were received and accepted.', 'endpoint', 'status'],
  rejected: [
    'Rejected requests, and invalid or excess alerts in accepted requests.',
    'endpoint',
    'reason',
  ],
  transitions: ['Alerts that started firing or were resolved.', 'status'],
  stripped: [
    'Alerts and groups of which something was cut or left out, because it requires too much memory.',
    'endpoint',
  ],
  truncated: ['Alerts that Alertmanager omitted (max_alerts).'],
  dead_letters: [
    'Invalid alerts, fields that were too large, and messages that a sink rejected four times, or that were too large for it.',
    'from',
  ],
  spool_damaged_records: ['Spool records that were found damaged or missing.'],
  dropped: ['Messages dropped for a sink because the spool was full.', 'sink'],
  published: ['Messages that a sink has accepted.', 'sink'],
  publish_failures: ['Failed attempts to send messages to a sink.', 'sink', 'reason'],
  heartbeats: ['Heartbeats by outcome: sent, failed.', 'sink', 'outcome'],
} as const;

type Count = (name: keyof typeof counters, labels: Record<string, string>, by?: number) => void;

/** Registers the metrics. Gauges read the status; the returned function counts events. */
export function createMetrics(registry: Registry, status: Status): EmitAlertEvent {
  const registers = [registry];
  const registered = new Map(
    Object.entries(counters).map(([what, [help, ...labelNames]]) => [
      what,
      new Counter({ name: `skolo_alerts_${what}_total`, help, labelNames, registers }),
    ]),
  );
  const count: Count = (name, labels, by = 1) => registered.get(name)?.inc(labels, by);
  // For Prometheus, an absent counter that begins at 1 is not an increase.
  for (const endpoint of Endpoint.options) {
    count('dead_letters', { from: endpoint }, 0);
    count('stripped', { endpoint }, 0);
    for (const state of statuses) count('received', { endpoint, status: state }, 0);
    for (const reason of rejections) count('rejected', { endpoint, reason }, 0);
  }
  count('dead_letters', { from: 'spool' }, 0);
  for (const state of statuses) count('transitions', { status: state }, 0);
  registerGauges(registry, gauges, () => status);
  return function countEvent(event) {
    if (event.type === 'received') countReceived(event, count);
    else countOne(event, count);
  };
}

function countReceived(
  { received, leftOut, overShare }: Extract<AlertEvent, { type: 'received' }>,
  count: Count,
): void {
  const { endpoint, firing, resolved, bad, stripped, truncated } = received;
  if (truncated > 0) count('truncated', {}, truncated);
  const letters = bad.length + stripped;
  if (letters > 0) count('dead_letters', { from: endpoint }, letters);
  if (stripped > 0) count('stripped', { endpoint }, stripped);
  if (overShare > 0) count('rejected', { endpoint, reason: 'machine-full' }, overShare);
  // What is left out makes the whole request a rejected one.
  if (leftOut > 0) return;
  if (bad.length > 0) count('rejected', { endpoint, reason: 'bad' }, countInvalid(bad));
  if (firing > 0) count('received', { endpoint, status: 'firing' }, firing);
  if (resolved > 0) count('received', { endpoint, status: 'resolved' }, resolved);
}

function countOne(event: AlertEvent, count: Count) {
  switch (event.type) {
    case 'rejected':
      return count('rejected', { endpoint: event.endpoint, reason: event.reason });
    case 'request-failed':
      return count('rejected', { endpoint: event.endpoint, reason: 'failed' });
    case 'transitions':
      for (const state of statuses) count('transitions', { status: state }, event[state]);
      return;
    case 'spool-damaged':
      return count('spool_damaged_records', {}, event.records);
    case 'known-alerts-lost':
      return count('spool_damaged_records', {});
    case 'sink-added': {
      const { sink } = event;
      count('dropped', { sink }, 0);
      count('published', { sink }, 0);
      count('dead_letters', { from: sink }, 0);
      for (const reason of sinkReasons) count('publish_failures', { sink, reason }, 0);
      return;
    }
    case 'sent':
      return count('published', { sink: event.sink }, event.messages);
    case 'send-failed':
      return count('publish_failures', { sink: event.sink, reason: event.reason });
    case 'dead-letter':
      return count('dead_letters', { from: event.sink });
    case 'dropped':
      return count('dropped', { sink: event.sink }, event.count);
    case 'heartbeat-sent':
      return count('heartbeats', { sink: event.sink, outcome: 'sent' });
    case 'heartbeat-failed':
      return count('heartbeats', { sink: event.sink, outcome: 'failed' });
  }
}

/** Read at each scrape. */
export const gauges: Record<string, GaugeSpec<Status>> = {
  skolo_alerts_spool_bytes: {
    help: 'Size of the spool.',
    read: (status) => status.spool().bytes,
  },
  skolo_alerts_spool_max_bytes: {
    help: 'Spool size at which alerts are rejected.',
    read: (status) => status.spool().maxBytes,
  },
  skolo_alerts_rejecting: {
    help: 'Whether alerts are currently being rejected.',
    read: (status) => (status.rejecting() ? 1 : 0),
  },
  skolo_alerts_heartbeat_healthy: {
    help: 'Whether the heartbeat reports the service as healthy.',
    read: (status) => Number(status.health().healthy),
  },
  skolo_alerts_delivery: {
    help: `Whether alerts are delivered: 1 for the current state of ${deliveryStates.join(', ')}.`,
    labels: ['state'],
    read: (status) => {
      const { state } = status.delivery();
      return deliveryStates.map((each): GaugeSample => [{ state: each }, Number(each === state)]);
    },
  },
  skolo_alerts_last_heard_timestamp_seconds: {
    help: 'When the last alert was received, not counting test alerts; 0 = never.',
    read: (status) => (status.health().lastHeard ?? 0) / 1000,
  },
  skolo_alerts_spool_depth: ofSinks('Queued messages for a sink.', ({ depth }) => depth),
  skolo_alerts_spool_oldest_seconds: ofSinks(
    'Age of the oldest queued message for a sink.',
    ({ oldestSeconds }) => oldestSeconds,
  ),
  skolo_alerts_sink_down: ofSinks('Whether a sink is not accepting any messages.', ({ down }) =>
    down ? 1 : 0,
  ),
  skolo_alerts_sink_doubtful: ofSinks(
    'Number of times that a queued message for a sink may have arrived.',
    ({ doubtful = 0 }) => doubtful,
  ),
  skolo_alerts_heartbeat_last_success_timestamp_seconds: ofSinks(
    'Time at which the sink last accepted a heartbeat (only for sinks that receive heartbeats); 0 = never.',
    ({ wantsHeartbeat, lastHeartbeat = 0 }) => (wantsHeartbeat ? lastHeartbeat / 1000 : undefined),
  ),
};

function ofSinks(help: string, measure: (sink: SinkView) => number | undefined): GaugeSpec<Status> {
  const read = (status: Status) =>
    status.sinks().map((sink): GaugeSample => [{ sink: sink.name }, measure(sink)]);
  return { help, labels: ['sink'], read };
}
