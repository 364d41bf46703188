/** The metrics that every process has: Node, version, rack.yaml, degraded parts, durations of requests. */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../process/clock.ts';
import type { Degraded } from './degraded.ts';

/**
 * A registry with the metrics of this process. Once per process: it observes the garbage collector and the event loop.
 *
 * @param eventLoopEveryMs interval of measuring the event loop's delay, which wakes the process
 */
export function processMetrics({ eventLoopEveryMs = 10 } = {}): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopEveryMs });
  return registry;
}

export function addBuildInfo(registry: Registry, info: { service: string; version: string }): void {
  new Gauge({
    name: 'skolo_build_info',
    help: 'Service, version and Node.js version; always 1.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ ...info, node: process.version }, 1);
}

/** A value with its labels; undefined: unknown and omitted. */
export type GaugeSample = [labels: Record<string, string>, value: number | undefined];

export interface GaugeSpec<Source> {
  help: string;
  labels?: readonly string[];
  /** A value without labels, or one for each set of labels. */
  read: (source: Source) => number | undefined | readonly GaugeSample[];
}

/** Gauges that are read at each scrape. What is unknown then is absent. */
export function registerGauges<Source>(
  registry: Registry,
  gauges: Readonly<Record<string, GaugeSpec<Source>>>,
  source: () => Source,
): void {
  for (const [name, { help, labels = [], read }] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        // A gauge without labels is 0 after a reset, which reads as a measurement.
        this.remove({});
        const found = read(source());
        const samples = typeof found === 'object' ? found : [[{}, found] as const];
        for (const [own, value] of samples) if (value !== undefined) this.set(own, value);
      },
    });
  }
}

/** @param list read at each scrape */
export function addDegraded(registry: Registry, list: () => Degraded[]): void {
  const gauges: Record<string, GaugeSpec<Degraded[]>> = {
    skolo_degraded: {
      help: '1 for each part of the service that is not working; the Services page of the console shows the reason.',
      labels: ['what'],
      read: (degraded) => degraded.map(({ what }) => [{ what }, 1]),
    },
  };
  registerGauges(registry, gauges, list);
}

interface RackMetrics {
  reloaded(): void;
  rejected(): void;
  /** Number of disabled entries. */
  disabled(count: number): void;
}

/** Metrics of rack.yaml. */
export function addRackMetrics(registry: Registry, clock: Pick<Clock, 'now'>): RackMetrics {
  const success = new Gauge({
    name: 'skolo_rack_reload_success',
    help: '1 if the current rack.yaml is active, 0 if it was rejected or could not be read.',
    registers: [registry],
  });
  const time = new Gauge({
    name: 'skolo_rack_reload_success_timestamp_seconds',
    help: 'When the service last read a valid rack.yaml. Absent if it has not read one since it started, and is using the last valid copy.',
    registers: [registry],
  });
  // A gauge without labels starts at 0, which would be a time long ago.
  time.remove();
  const disabled = new Gauge({
    name: 'skolo_rack_disabled_entries',
    help: 'Entries and keys in rack.yaml that are disabled because of errors, if the service started without a valid copy.',
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
    rejected() {
      success.set(0);
    },
  };
}

const httpDuration = 'http_request_duration_seconds';

/** One histogram for all HTTP apps of a registry. */
export function httpRequestDuration(registry: Registry): Histogram<'method' | 'route' | 'code'> {
  const known = registry.getSingleMetric(httpDuration);
  if (known instanceof Histogram) return known;
  return new Histogram({
    name: httpDuration,
    help: 'Time from the request headers to the end of the response.',
    labelNames: ['method', 'route', 'code'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
}
