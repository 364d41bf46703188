/** Metrics of alert-to-pubsub. Names and labels are all declared here; the alert rules ask for them. */
import { Door, type SinkReason, sinkReasons } from '@skolo/alerts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type RefusedWhy, refusedWhys } from './receive/refused.ts';
import type { SinkView, View } from './view.ts';

const doors = Door.options;
const statuses = ['firing', 'resolved'] as const;
/** Of requests, and of alerts in a request that is accepted otherwise. */
const refusals = [...refusedWhys, 'bad'] as const;

export interface Metrics {
  /** There is such a sink from here on. */
  sink(name: string): void;
  received(door: string, status: 'firing' | 'resolved', count: number): void;
  refused(door: string, reason: RefusedWhy | 'bad', count?: number): void;
  transitions(counts: Readonly<Record<'firing' | 'resolved', number>>): void;
  truncated(count: number): void;
  deadLetters(from: string, count: number): void;
  damaged(records: number): void;
  dropped(sink: string, count: number): void;
  sent(sink: string, messages: number, seconds: number): void;
  failed(sink: string, reason: SinkReason): void;
  heartbeat(sink: string, outcome: 'sent' | 'failed'): void;
}

export function createMetrics(registry: Registry, view: () => View): Metrics {
  const registers = [registry];
  const counter = <L extends string>(what: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `skolo_alerts_${what}_total`, help, labelNames, registers });
  const received = counter('received', 'Alerts that came in and were accepted.', [
    'door',
    'status',
  ]);
  const refused = counter('refused', 'Requests, and alerts in them, that were not accepted.', [
    'door',
    'reason',
  ]);
  const transitions = counter('transitions', 'Alerts that began to fire, or were resolved.', [
    'status',
  ]);
  const truncated = counter('truncated', 'Alerts that Alertmanager left out (max_alerts).', []);
  const letters = counter('dead_letters', 'What was no alert, or what a sink will never take.', [
    'from',
  ]);
  const damaged = counter(
    'spool_damaged_records',
    'Records of the spool that were found damaged or missing.',
    [],
  );
  const dropped = counter('dropped', 'Messages that a sink lost since the spool was full.', [
    'sink',
  ]);
  const published = counter('published', 'Messages that a sink has taken.', ['sink']);
  const failures = counter('publish_failures', 'Attempts of a sink that failed.', [
    'sink',
    'reason',
  ]);
  const heartbeats = counter('heartbeats', 'Heartbeats by what became of them: sent, failed.', [
    'sink',
    'outcome',
  ]);
  const duration = new Histogram({
    name: 'skolo_alerts_publish_duration_seconds',
    help: 'Time until a sink has taken a batch of messages.',
    labelNames: ['sink'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  // What has never been counted would be absent: the first one would be no increase to Prometheus.
  for (const door of doors) {
    letters.inc({ from: door }, 0);
    for (const status of statuses) received.inc({ door, status }, 0);
    for (const reason of refusals) refused.inc({ door, reason }, 0);
  }
  for (const status of statuses) transitions.inc({ status }, 0);
  wayGauges(registry, view);
  sinkGauges(registry, view);
  return {
    sink(sink) {
      for (const each of [dropped, published]) each.inc({ sink }, 0);
      letters.inc({ from: sink }, 0);
      for (const reason of sinkReasons) failures.inc({ sink, reason }, 0);
    },
    received: (door, status, count) => received.inc({ door, status }, count),
    refused: (door, reason, count = 1) => refused.inc({ door, reason }, count),
    transitions(counts) {
      for (const status of statuses) transitions.inc({ status }, counts[status]);
    },
    truncated: (count) => truncated.inc(count),
    deadLetters: (from, count) => letters.inc({ from }, count),
    damaged: (records) => damaged.inc(records),
    dropped: (sink, count) => dropped.inc({ sink }, count),
    sent(sink, messages, seconds) {
      published.inc({ sink }, messages);
      duration.observe({ sink }, seconds);
    },
    failed: (sink, reason) => failures.inc({ sink, reason }),
    heartbeat: (sink, outcome) => heartbeats.inc({ sink, outcome }),
  };
}

function wayGauges(registry: Registry, view: () => View): void {
  const gauge = (what: string, help: string, read: () => number) =>
    new Gauge({
      name: `skolo_alerts_${what}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('firing', 'Alerts that fire.', () => view().firing());
  gauge('spool_bytes', 'Size of the spool.', () => view().spool().bytes);
  gauge(
    'spool_max_bytes',
    'Size at which nothing more is accepted.',
    () => view().spool().maxBytes,
  );
  gauge('refusing', 'Whether alerts are refused now.', () => (view().refusing() ? 1 : 0));
  gauge('heartbeat_healthy', 'Whether the heartbeat says that all is well.', () =>
    view().health().healthy ? 1 : 0,
  );
  gauge(
    'last_heard_timestamp_seconds',
    'When the watchdog, or any alert, was last heard of; 0: never.',
    () => (view().health().lastHeard ?? 0) / 1000,
  );
  new Gauge({
    name: 'skolo_alerts_receiver_silent',
    help: 'Whether a receiver that is expected to has received nothing for too long.',
    labelNames: ['receiver'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, isExpected, isSilent } of view().receivers()) {
        if (isExpected) this.set({ receiver: name }, isSilent ? 1 : 0);
      }
    },
  });
}

function sinkGauges(registry: Registry, view: () => View): void {
  const gauge = (what: string, help: string, read: (sink: SinkView) => number | undefined) =>
    new Gauge({
      name: `skolo_alerts_${what}`,
      help,
      labelNames: ['sink'],
      registers: [registry],
      collect() {
        this.reset();
        for (const sink of view().sinks()) {
          const value = read(sink);
          if (value !== undefined) this.set({ sink: sink.name }, value);
        }
      },
    });
  gauge('spool_depth', 'Messages that wait for a sink.', ({ depth }) => depth);
  gauge(
    'spool_oldest_seconds',
    'How long the oldest of them has waited.',
    (sink) => sink.oldestSeconds,
  );
  gauge('sink_down', 'Whether a sink accepts no message.', ({ down }) => (down ? 1 : 0));
  gauge(
    'last_success_timestamp_seconds',
    'When a sink last took a message; 0: never.',
    ({ lastSuccess }) => (lastSuccess ?? 0) / 1000,
  );
  gauge(
    'heartbeat_last_success_timestamp_seconds',
    'When a sink that wants them last took a heartbeat; 0: never.',
    ({ wantsHeartbeat, lastHeartbeat = 0 }) => (wantsHeartbeat ? lastHeartbeat / 1000 : undefined),
  );
}
