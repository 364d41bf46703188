import { type ServiceName, servicePorts } from '@skolo/rack/ports';
import {
  type Flag,
  parseHost,
  parseLevel,
  parsePort,
  readFlags,
  UsageError,
  usageOf,
} from './flag-table.ts';
import { type LogLevel, logLevels } from './log.ts';

export { UsageError };

/** What a service is started with: flag over environment over default. */
export interface Flags {
  rackFile: string;
  port: number;
  metricsPort: number;
  host: string | undefined;
  stateDir: string;
  logLevel: LogLevel;
  check: boolean;
}

function flagsOf(service: ServiceName): Flag[] {
  const { port, metricsPort } = servicePorts[service];
  return [
    {
      name: 'rack',
      value: 'FILE',
      env: 'SKOLO_RACK',
      fallback: '/etc/skolo/rack.yaml',
      help: 'the inventory',
    },
    {
      name: 'port',
      value: 'N',
      env: 'SKOLO_PORT',
      fallback: `${port}`,
      help: 'port to listen on; 0 = any free one',
    },
    {
      name: 'metrics-port',
      value: 'N',
      env: 'SKOLO_METRICS_PORT',
      fallback: `${metricsPort}`,
      help: 'port of /metrics, /healthz, /readyz',
    },
    {
      name: 'host',
      value: 'ADDR',
      env: 'SKOLO_HOST',
      help: 'address to listen on (default: all, IPv6 and IPv4)',
    },
    {
      name: 'state-dir',
      value: 'DIR',
      env: 'SKOLO_STATE_DIR',
      fallback: `/var/lib/skolo/${service}`,
      help: 'all that it writes',
    },
    {
      name: 'log-level',
      value: 'L',
      env: 'SKOLO_LOG_LEVEL',
      fallback: 'info',
      help: logLevels.join(', '),
    },
    { name: 'check', help: 'check rack.yaml and the secrets that this service uses, and exit' },
    { name: 'help', help: 'show this' },
  ];
}

/**
 * The flags of a service; `help` if that is what was asked for. An empty variable counts as not set.
 *
 * @param args without the program
 * @throws UsageError
 */
export function parseFlags(
  service: ServiceName,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Flags | 'help' {
  const given = readFlags(flagsOf(service), args, env);
  if (given.has('help')) return 'help';
  return {
    rackFile: given.read('rack').text,
    port: parsePort(given.read('port')),
    metricsPort: parsePort(given.read('metrics-port')),
    host: parseHost(given.read('host')),
    stateDir: given.read('state-dir').text,
    logLevel: parseLevel(given.read('log-level')),
    check: given.has('check'),
  };
}

/** What `--help` prints. */
export function usage(service: ServiceName): string {
  return usageOf(service, flagsOf(service));
}
