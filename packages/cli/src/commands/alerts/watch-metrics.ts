/** Metrics of a watch: https://prometheus.io/docs/instrumenting/exposition_formats/ */
import { once } from 'node:events';
import { errorText } from '@skolo/base';
import { createServer } from '@skolo/base/http';
import { answerStrictly } from '@skolo/common/light';
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
  const server = answerStrictly(createServer(), ({ method, url = '' }, response) => {
    const [path] = url.split('?');
    if (method !== 'GET') response.writeHead(405, { allow: 'GET' }).end();
    else if (path === '/metrics') {
      response
        .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
        .end(metricsText(facts()));
    } else if (path === '/healthz') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}\n');
    } else response.writeHead(404).end();
  });
  try {
    server.listen(port);
    await once(server, 'listening');
  } catch (cause) {
    const why = errorText(cause);
    throw new CliError(`--metrics-port ${port}: ${why}`, undefined, { cause });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function metricsText({ report, blindWhy, unsent }: WatchFacts): string {
  const each = (
    name: string,
    help: string,
    samples: [location: string | undefined, n: number][],
  ) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...samples.map(([location, n]) => `${name}${labelsOf(location)} ${n}`),
  ];
  const { locations } = report;
  return [
    ...each(
      'skolo_alerts_location_last_heartbeat_timestamp_seconds',
      'Time of the last heartbeat; 0 = never.',
      locations.map(({ location, lastHeard = 0 }) => [location, lastHeard / 1000]),
    ),
    ...each(
      'skolo_alerts_location_healthy',
      '1 if heartbeats arrive and report a healthy rack; unchanged while Pub/Sub is unreachable.',
      locations.map(({ location, state }) => [location, state === 'well' ? 1 : 0]),
    ),
    ...each('skolo_alerts_watch_blind', '1 while Pub/Sub is unreachable.', [
      [undefined, blindWhy === undefined ? 0 : 1],
    ]),
    ...each(
      'skolo_alerts_watch_not_told',
      'Messages that the --notify sink has not accepted yet.',
      [[undefined, unsent]],
    ),
    '',
  ].join('\n');
}

function labelsOf(location: string | undefined): string {
  if (location === undefined) return '';
  const escaped = location.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  return `{location="${escaped}"}`;
}
