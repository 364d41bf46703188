/** Metrics of the router backup. Names and labels are all declared here; the alert rules ask for them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from './backup.ts';
import type { LostHistory } from './lost-history.ts';
import type { Offsite } from './offsite.ts';
import type { RunRecord } from './records.ts';
import { lastSuccessOf, shownDevices, type View } from './shown.ts';
import type { Store } from './store.ts';
import { summaryOf } from './summary.ts';
import { targetsOf } from './targets.ts';

export interface MetricsDeps {
  view: () => View;
  store: () => Store;
  lost: () => Pick<LostHistory, 'list'>;
  offsite: () => Pick<Offsite, 'status'>;
}

export interface Metrics {
  attempted(device: string, outcome: Outcome): void;
  ran(run: RunRecord): void;
  /** What became of a message to the webhook. */
  told(outcome: 'sent' | 'failed' | 'dropped'): void;
}

export function createMetrics(registry: Registry, deps: MetricsDeps): Metrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'skolo_backup_duration_seconds',
    help: 'Time to read one device and store what is new.',
    buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300],
    registers,
  });
  const failures = new Counter({
    name: 'skolo_backup_failures_total',
    help: 'Attempts that failed, by class.',
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
  const told = new Counter({
    name: 'skolo_backup_webhook_messages_total',
    help: 'Messages to the webhook, by what became of them: sent, failed, dropped.',
    labelNames: ['outcome'],
    registers,
  });
  deviceGauges(registry, deps);
  placeGauges(registry, deps);
  return {
    attempted(device, { result, failure, seconds }) {
      duration.observe(seconds);
      if (failure !== undefined) failures.inc({ class: failure });
      if (result === 'changed') changes.inc({ device });
    },
    told: (outcome) => told.inc({ outcome }),
    ran({ devices }) {
      const { ok, failed } = summaryOf(devices);
      runs.inc({ outcome: failed === 0 ? 'ok' : ok > 0 ? 'partly' : 'failed' });
    },
  };
}

function deviceGauges(registry: Registry, { view }: MetricsDeps): void {
  const registers = [registry];
  /** Those that have to be backed up: in rack.yaml, or not retired since the file looks wrong. */
  const wanted = () => {
    const { rack, state } = view();
    const targets = targetsOf(rack());
    const listed = targets.filter(({ why }) => why === undefined).map(({ name }) => name);
    const known = new Set(targets.map(({ name }) => name));
    const missing = [...state.devices.all.values()].filter(
      ({ name, retiredAt }) => retiredAt === undefined && !known.has(name),
    );
    return [...listed, ...missing.map(({ name }) => name)];
  };
  new Gauge({
    name: 'skolo_backup_last_success_timestamp_seconds',
    help: 'When a device was last read completely, changed or not; 0: never.',
    labelNames: ['device'],
    registers,
    collect() {
      this.reset();
      for (const device of wanted()) {
        this.set({ device }, (lastSuccessOf(view(), device) ?? 0) / 1000);
      }
    },
  });
  new Gauge({
    name: 'skolo_backup_overdue_seconds',
    help: 'A device whose last success is older than this is overdue.',
    registers,
    collect() {
      this.set(view().rack().services['router-backup'].overdueHours * 3600);
    },
  });
  new Gauge({
    name: 'skolo_backup_failures_in_a_row',
    help: 'Attempts at a device that have failed since the last success, by the class of the last one.',
    labelNames: ['device', 'class'],
    registers,
    collect() {
      this.reset();
      const { state } = view();
      for (const device of wanted()) {
        const { failure, failures = 0 } = state.devices.get(device) ?? {};
        if (failure !== undefined) this.set({ device, class: failure }, failures);
      }
    },
  });
  new Gauge({
    name: 'skolo_backup_unsaved',
    help: 'Whether a device would boot with another configuration than it runs with; absent: unknown.',
    labelNames: ['device'],
    registers,
    collect() {
      this.reset();
      for (const device of wanted()) {
        const unsaved = view().state.devices.get(device)?.unsaved;
        if (unsaved !== undefined) this.set({ device }, unsaved ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'skolo_backup_legacy_algorithm',
    help: 'Old algorithms of ssh that a device was last read with: each is 1.',
    labelNames: ['device', 'algorithm'],
    registers,
    collect() {
      this.reset();
      for (const device of wanted()) {
        const { legacyAlgorithms = [] } = view().state.devices.get(device) ?? {};
        for (const algorithm of legacyAlgorithms) this.set({ device, algorithm }, 1);
      }
    },
  });
  const bytes = new Gauge({
    name: 'skolo_backup_bytes',
    help: 'Size of the newest version of a device.',
    labelNames: ['device'],
    registers,
  });
  const versions = new Gauge({
    name: 'skolo_backup_versions',
    help: 'Versions of a device.',
    labelNames: ['device'],
    registers,
  });
  new Gauge({
    name: 'skolo_backup_devices',
    help: 'Devices by state.',
    labelNames: ['state'],
    registers,
    async collect() {
      for (const gauge of [this, bytes, versions]) gauge.reset();
      for (const { name: device, state, size, versions: count } of await shownDevices(view())) {
        this.inc({ state });
        if (size !== undefined) bytes.set({ device }, size);
        versions.set({ device }, count);
      }
    },
  });
}

function placeGauges(registry: Registry, { store, lost, offsite }: MetricsDeps): void {
  const registers = [registry];
  new Gauge({
    name: 'skolo_backup_repository_sound',
    help: 'Whether the history can be written, was sound when it was last checked, and has lost no version.',
    registers,
    collect() {
      this.set(store().isSound && lost().list().length === 0 ? 1 : 0);
    },
  });
  new Gauge({
    name: 'skolo_backup_history_lost_devices',
    help: 'Devices with versions that are no longer in the history, and neither restored nor given up.',
    registers,
    collect() {
      this.set(lost().list().length);
    },
  });
  new Gauge({
    name: 'skolo_backup_offsite_queue',
    help: 'Versions that have not left the rack yet.',
    labelNames: ['place'],
    registers,
    collect() {
      this.reset();
      for (const { url: place, queued } of offsite().status()) this.set({ place }, queued);
    },
  });
  new Gauge({
    name: 'skolo_backup_offsite_last_success_timestamp_seconds',
    help: 'When something was last stored off site; 0: never.',
    labelNames: ['place'],
    registers,
    collect() {
      this.reset();
      for (const { url: place, lastSuccess } of offsite().status()) {
        this.set({ place }, lastSuccess === undefined ? 0 : Date.parse(lastSuccess) / 1000);
      }
    },
  });
}
