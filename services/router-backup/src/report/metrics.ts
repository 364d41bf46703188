/** The router backup's metrics. All names and labels are declared here; the alert rules use them. */
import { type GaugeSample, type GaugeSpec, registerGauges } from '@skolo/common';
import { partOf } from '@skolo/equipment/models/configuration';
import { Counter, type Registry } from 'prom-client';
import type { EmitBackup } from '../events.ts';
import type { Store } from '../history/store.ts';
import type { OffsiteCopies } from '../offsite/copies.ts';
import type { HistoryLoss } from '../offsite/loss.ts';
import { targetOf, targetsOf } from '../targets.ts';
import { lastSuccessOf, type StatusSources, stateOf } from './device-status.ts';

interface MetricsDeps {
  sources: StatusSources;
  store: Pick<Store, 'isSound'>;
  loss: Pick<HistoryLoss, 'list'>;
  copies: Pick<OffsiteCopies, 'status'>;
}

/** Returns a consumer of events. */
export function createMetrics(registry: Registry, deps: MetricsDeps): EmitBackup {
  const messages = new Counter({
    name: 'skolo_backup_webhook_messages_total',
    help: 'Messages to the webhook, by outcome (sent, failed or dropped).',
    labelNames: ['outcome'],
    registers: [registry],
  });
  registerGauges(registry, gauges, () => deps);
  return (event) => {
    if (event.type === 'webhook-message') messages.inc({ outcome: event.outcome });
  };
}

/** Devices to back up: in rack.yaml, or not retired because the file looks wrong. With their records. */
function wanted({ sources: { rack, state } }: MetricsDeps) {
  const targets = targetsOf(rack());
  const listed = targets.filter(({ why }) => why === undefined).map(({ name }) => name);
  const known = new Set(targets.map(({ name }) => name));
  const missing = [...state.devices.all.values()].filter(
    ({ name, retiredAt }) => retiredAt === undefined && !known.has(name),
  );
  const devices = [...listed, ...missing.map(({ name }) => name)];
  return devices.map((device) => ({ device, record: state.devices.get(device) }));
}

/** Read at each scrape. */
export const gauges: Record<string, GaugeSpec<MetricsDeps>> = {
  skolo_backup_last_success_timestamp_seconds: {
    help: 'When the configuration was last read completely, whether or not it had changed; 0 if never.',
    labels: ['device'],
    read: (deps) =>
      wanted(deps).map(({ device }) => [
        { device },
        (lastSuccessOf(deps.sources, device) ?? 0) / 1000,
      ]),
  },
  skolo_backup_device_state: {
    help: 'The state of each backup, as the console shows it: `ok`, `never`, `failed`, `overdue` or `not-backed-up`; always 1.',
    labels: ['device', 'state'],
    read: (deps) =>
      wanted(deps).map(({ device, record }) => {
        const last = lastSuccessOf(deps.sources, device);
        const target = targetOf(deps.sources.rack(), device);
        return [{ device, state: stateOf(deps.sources, { last, record, target }).state }, 1];
      }),
  },
  skolo_backup_overdue_seconds: {
    help: 'Maximum age of the last success before a backup is overdue.',
    read: ({ sources }) => sources.rack().services['router-backup'].overdueHours * 3600,
  },
  skolo_backup_failures_in_a_row: {
    help: 'Failed attempts to read it since the last success, by class of the last failure.',
    labels: ['device', 'class'],
    read: (deps) =>
      wanted(deps).flatMap(({ device, record }): GaugeSample[] => {
        const { failure, failures = 0 } = record ?? {};
        return failure === undefined ? [] : [[{ device, class: failure }, failures]];
      }),
  },
  skolo_backup_unsaved: {
    help: 'Whether the startup configuration differs from the running one; absent if unknown.',
    labels: ['device'],
    read: (deps) =>
      wanted(deps).map(({ device, record }) => [
        { device },
        record?.unsaved === undefined ? undefined : Number(record.unsaved),
      ]),
  },
  skolo_backup_partial: {
    help: 'Whether only a part of the configuration was stored, because of `allowPartial` in rack.yaml.',
    labels: ['device'],
    read: (deps) =>
      wanted(deps).map(({ device, record }) => [{ device }, partOf(record?.extent) ? 1 : 0]),
  },
  skolo_backup_repository_sound: {
    help: 'Whether the history is writable, passed its last check, and has not lost any versions.',
    read: ({ store, loss }) => Number(store.isSound && loss.list().length === 0),
  },
  skolo_backup_history_lost_devices: {
    help: 'Equipment with versions that are missing from the history, unless the loss was accepted.',
    read: ({ loss }) => loss.list().length,
  },
  skolo_backup_offsite_queue: {
    help: 'Versions that have not been copied off site yet.',
    labels: ['place'],
    read: ({ copies }) => copies.status().map(({ url: place, queued }) => [{ place }, queued]),
  },
  skolo_backup_offsite_last_success_timestamp_seconds: {
    help: 'When the destination last accepted a version, or passed the daily check, while no version was blocked; 0 if never.',
    labels: ['place'],
    read: ({ copies }) =>
      copies
        .status()
        .map(({ url: place, lastSuccess }) => [
          { place },
          lastSuccess === undefined ? 0 : Date.parse(lastSuccess) / 1000,
        ]),
  },
};
