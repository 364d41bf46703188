import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from './clock.ts';
import type { Degraded } from './degraded.ts';

/**
 * A registry with the metrics of this process. Once in a process: it watches the garbage collector and the event loop.
 *
 * @param eventLoopEveryMs how often the event loop's delay is measured: each time wakes the process
 */
export function processMetrics({ eventLoopEveryMs = 10 } = {}): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopEveryMs });
  return registry;
}

export function addBuildInfo(registry: Registry, info: { service: string; version: string }): void {
  new Gauge({
    name: 'skolo_build_info',
    help: 'What runs here; always 1.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ ...info, node: process.version }, 1);
}

/** @param list is asked at each scrape */
export function addDegraded(registry: Registry, list: () => Degraded[]): void {
  new Gauge({
    name: 'skolo_degraded',
    help: '1 for each thing that does not work although the service does; /readyz says why.',
    labelNames: ['what'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { what } of list()) this.set({ what }, 1);
    },
  });
}

export interface RackMetrics {
  reloaded(): void;
  refused(): void;
  /** How much of a rack.yaml with mistakes is not used. */
  disabled(count: number): void;
}

/** Whether the newest rack.yaml is in force, and since when the one in force is. */
export function addRackMetrics(registry: Registry, clock: Pick<Clock, 'now'>): RackMetrics {
  const success = new Gauge({
    name: 'skolo_rack_reload_success',
    help: '1 if the newest rack.yaml is in force, 0 if it was refused or could not be read.',
    registers: [registry],
  });
  const time = new Gauge({
    name: 'skolo_rack_reload_success_timestamp_seconds',
    help: 'When a rack.yaml was last read and found valid; absent: not since the start (last good copy in force).',
    registers: [registry],
  });
  // A gauge without labels begins at 0, which reads as a time long ago.
  time.remove();
  const disabled = new Gauge({
    name: 'skolo_rack_disabled_entries',
    help: 'Entries and keys of rack.yaml that are disabled because of mistakes; only after a start without a last good copy.',
    registers: [registry],
  });
  return {
    disabled(count) {
      disabled.set(count);
    },
    reloaded() {
      disabled.set(0);
      success.set(1);
      time.set(clock.now() / 1000);
    },
    refused() {
      success.set(0);
    },
  };
}

const httpDuration = 'http_request_duration_seconds';

/** The one histogram of all HTTP apps of a registry. */
export function httpRequestDuration(registry: Registry): Histogram<'method' | 'route' | 'code'> {
  const known = registry.getSingleMetric(httpDuration);
  if (known instanceof Histogram) return known;
  return new Histogram({
    name: httpDuration,
    help: 'From the request’s headers to the end of the answer.',
    labelNames: ['method', 'route', 'code'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
}
