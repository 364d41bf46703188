/** Metrics of `skolo alerts watch`. */
import { once } from 'node:events';
import { errorText } from '@skolo/base';
import {
  commandApp,
  type GaugeSpec,
  listen,
  newServer,
  probes,
  registerGauges,
} from '@skolo/common/light';
import { Registry } from 'prom-client';
import { CliError } from '../../errors.ts';
import type { WatchFacts } from './watcher.ts';

interface WatchMetrics {
  port: number;
  close(): Promise<void>;
}

/** @throws CliError The port cannot be used. */
export async function startWatchMetrics(
  port: number,
  facts: () => WatchFacts,
): Promise<WatchMetrics> {
  const metrics = new Registry();
  registerGauges(metrics, gauges, facts);
  const { listener } = commandApp(probes(metrics, () => ({ ready: true, degraded: [] })));
  const server = newServer({ handler: listener });
  const actual = await listen(server, { port, flag: '--metrics-port' }).catch((cause: unknown) => {
    throw new CliError(errorText(cause), undefined, { cause });
  });
  return {
    port: actual,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const gauges: Record<string, GaugeSpec<WatchFacts>> = {
  skolo_alerts_location_last_heartbeat_timestamp_seconds: {
    help: 'Time of the last heartbeat; 0 = never.',
    labels: ['location'],
    read: ({ report }) =>
      report.locations.map(({ location, lastHeard = 0 }) => [{ location }, lastHeard / 1000]),
  },
  skolo_alerts_location_healthy: {
    help: '1 if heartbeats arrive and report a healthy rack; unchanged while Pub/Sub is unreachable.',
    labels: ['location'],
    read: ({ report }) =>
      report.locations.map(({ location, state }) => [{ location }, state === 'well' ? 1 : 0]),
  },
  skolo_alerts_watch_blind: {
    help: '1 while Pub/Sub is unreachable.',
    read: ({ blindWhy }) => (blindWhy === undefined ? 0 : 1),
  },
  skolo_alerts_watch_not_told: {
    help: 'Messages that the --notify sink has not accepted yet.',
    read: ({ unsent }) => unsent,
  },
};
