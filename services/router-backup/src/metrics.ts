/** Metrics of the router backup. Names and labels are all declared here; the alert rules ask for them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { lastSuccessOf, type StatusSources, statusOfAll } from './device-status.ts';
import type { EmitBackup } from './events.ts';
import type { HistoryLoss } from './history-loss.ts';
import type { Store } from './store.ts';
import { summaryOf } from './summary.ts';
import { targetsOf } from './targets.ts';
import type { Uploads } from './uploads.ts';

export interface MetricsDeps {
  sources: StatusSources;
  store: Pick<Store, 'isSound'>;
  loss: Pick<HistoryLoss, 'list'>;
  uploads: Pick<Uploads, 'status'>;
}

/** Returns a consumer of events. */
export function createMetrics(registry: Registry, deps: MetricsDeps): EmitBackup {
  const registers = [registry];
  const duration = new Histogram({
    name: 'skolo_backup_duration_seconds',
    help: 'Time to read a device and store its configuration.',
    buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300],
    registers,
  });
  const failures = new Counter({
    name: 'skolo_backup_failures_total',
    help: 'Devices that failed in a run after all retries, by class.',
    labelNames: ['class'],
    registers,
  });
  const changes = new Counter({
    name: 'skolo_backup_changes_total',
    help: 'New versions of a device.',
    labelNames: ['device'],
    registers,
  });
  const runs = new Counter({
    name: 'skolo_backup_runs_total',
    help: 'Runs, by outcome: ok, partly, failed.',
    labelNames: ['outcome'],
    registers,
  });
  const messages = new Counter({
    name: 'skolo_backup_webhook_messages_total',
    help: 'Messages to the webhook, by outcome: sent, failed, dropped.',
    labelNames: ['outcome'],
    registers,
  });
  deviceGauges(registry, deps.sources);
  placeGauges(registry, deps);
  return (event) => {
    if (event.type === 'webhook-message') messages.inc({ outcome: event.outcome });
    else if (event.type === 'run-finished') {
      const { ok, failed } = summaryOf(event.run.devices);
      runs.inc({ outcome: failed === 0 ? 'ok' : ok > 0 ? 'partly' : 'failed' });
    } else if (event.type === 'device-done') {
      const { device, outcome } = event;
      duration.observe(outcome.seconds);
      if (outcome.failure !== undefined) failures.inc({ class: outcome.failure });
      if (outcome.result === 'changed') changes.inc({ device });
    }
  };
}

/** Makes gauges that are filled at each scrape. */
function gauges(registry: Registry) {
  return <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    fill: (gauge: Gauge<L>) => void | Promise<void>,
  ) =>
    new Gauge<L>({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        this.reset();
        await fill(this);
      },
    });
}

function deviceGauges(registry: Registry, sources: StatusSources): void {
  const gauge = gauges(registry);
  const { rack, state } = sources;
  /** Devices to back up: in rack.yaml, or not retired since the file looks wrong. With their records. */
  function wanted() {
    const targets = targetsOf(rack());
    const listed = targets.filter(({ why }) => why === undefined).map(({ name }) => name);
    const known = new Set(targets.map(({ name }) => name));
    const missing = [...state.devices.all.values()].filter(
      ({ name, retiredAt }) => retiredAt === undefined && !known.has(name),
    );
    const devices = [...listed, ...missing.map(({ name }) => name)];
    return devices.map((device) => ({ device, record: state.devices.get(device) }));
  }
  gauge(
    'skolo_backup_last_success_timestamp_seconds',
    'When a device was last read completely, changed or not; 0: never.',
    ['device'],
    (it) => {
      for (const { device } of wanted()) {
        it.set({ device }, (lastSuccessOf(sources, device) ?? 0) / 1000);
      }
    },
  );
  gauge(
    'skolo_backup_overdue_seconds',
    'A device whose last success is older than this is overdue.',
    [],
    (it) => it.set(rack().services['router-backup'].overdueHours * 3600),
  );
  gauge(
    'skolo_backup_failures_in_a_row',
    'Attempts at a device that have failed since the last success, by the class of the last one.',
    ['device', 'class'],
    (it) => {
      for (const { device, record } of wanted()) {
        const { failure, failures = 0 } = record ?? {};
        if (failure !== undefined) it.set({ device, class: failure }, failures);
      }
    },
  );
  gauge(
    'skolo_backup_unsaved',
    'Whether a device would boot with another configuration than it runs with; absent: unknown.',
    ['device'],
    (it) => {
      for (const { device, record } of wanted()) {
        if (record?.unsaved !== undefined) it.set({ device }, record.unsaved ? 1 : 0);
      }
    },
  );
  gauge(
    'skolo_backup_legacy_algorithm',
    'Old algorithms of ssh that a device was last read with: each is 1.',
    ['device', 'algorithm'],
    (it) => {
      for (const { device, record } of wanted()) {
        for (const algorithm of record?.legacyAlgorithms ?? []) it.set({ device, algorithm }, 1);
      }
    },
  );
  const common = { labelNames: ['device'], registers: [registry] };
  const sizeHelp = 'Size of the newest version of a device.';
  const bytes = new Gauge({ name: 'skolo_backup_bytes', help: sizeHelp, ...common });
  const versions = new Gauge({
    name: 'skolo_backup_versions',
    help: 'Versions of a device.',
    ...common,
  });
  gauge('skolo_backup_devices', 'Devices by state.', ['state'], async (it) => {
    for (const each of [bytes, versions]) each.reset();
    for (const { name: device, state: now, size, versions: count } of await statusOfAll(sources)) {
      it.inc({ state: now });
      if (size !== undefined) bytes.set({ device }, size);
      versions.set({ device }, count);
    }
  });
}

function placeGauges(registry: Registry, { store, loss, uploads }: MetricsDeps): void {
  const gauge = gauges(registry);
  gauge(
    'skolo_backup_repository_sound',
    'Whether the history can be written, was sound when it was last checked, and has lost no version.',
    [],
    (it) => it.set(store.isSound && loss.list().length === 0 ? 1 : 0),
  );
  gauge(
    'skolo_backup_history_lost_devices',
    'Devices with versions that are no longer in the history, and whose loss was not accepted.',
    [],
    (it) => it.set(loss.list().length),
  );
  gauge(
    'skolo_backup_offsite_queue',
    'Versions that have not left the rack yet.',
    ['place'],
    (it) => {
      for (const { url: place, queued } of uploads.status()) it.set({ place }, queued);
    },
  );
  gauge(
    'skolo_backup_offsite_last_success_timestamp_seconds',
    'When a version was last stored off site; 0: never.',
    ['place'],
    (it) => {
      for (const { url: place, lastSuccess } of uploads.status()) {
        it.set({ place }, lastSuccess === undefined ? 0 : Date.parse(lastSuccess) / 1000);
      }
    },
  );
}
