/** The flags of every process in a rack, including the agent, with their defaults. */
import { type ServiceName, servicePorts } from '@skolo/rack/light';
import {
  type Flag,
  type FlagSet,
  type GivenFlags,
  parseHost,
  parseLevel,
  parsePort,
} from './flag-table.ts';
import { type LogLevel, logLevels } from './log.ts';

export interface ProcessFlags {
  port: number;
  metricsPort: number;
  host: string | undefined;
  stateDir: string;
  logLevel: LogLevel;
  check: boolean;
}

/** @param help texts that differ between processes */
export function processFlags(
  service: ServiceName,
  help: { port: string; host: string; check: string },
): Flag[] {
  const { port, metricsPort } = servicePorts[service];
  return [
    {
      name: 'port',
      value: 'N',
      env: 'SKOLO_PORT',
      fallback: `${port}`,
      help: `${help.port}; 0 = any free port`,
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
      help: `${help.host} (default: all, IPv6 and IPv4)`,
    },
    {
      name: 'state-dir',
      value: 'DIR',
      env: 'SKOLO_STATE_DIR',
      fallback: `/var/lib/skolo/${service}`,
      help: 'directory for all files that the service writes',
    },
    {
      name: 'log-level',
      value: 'L',
      env: 'SKOLO_LOG_LEVEL',
      fallback: 'info',
      help: logLevels.join(', '),
    },
    { name: 'check', help: help.check },
    { name: 'help', help: 'print this help' },
  ];
}

/** @throws UsageError */
export function readProcessFlags(given: GivenFlags): ProcessFlags {
  return {
    port: parsePort(given.read('port')),
    metricsPort: parsePort(given.read('metrics-port')),
    host: parseHost(given.read('host')),
    stateDir: given.read('state-dir').text,
    logLevel: parseLevel(given.read('log-level')),
    check: given.has('check'),
  };
}

interface ServiceFlags extends ProcessFlags {
  rackFile: string;
  runtimeDir: string;
}

/** Those of a service. */
export function serviceFlags(service: ServiceName): FlagSet<ServiceFlags> {
  const rack: Flag = {
    name: 'rack',
    value: 'FILE',
    env: 'SKOLO_RACK',
    fallback: '/etc/skolo/rack.yaml',
    help: "the rack's inventory",
  };
  const runtime: Flag = {
    name: 'runtime-dir',
    value: 'DIR',
    env: 'SKOLO_RUNTIME_DIR',
    fallback: `/run/skolo/${service}`,
    help: 'directory in memory that outlives the process: equipment that kills it',
  };
  const help = {
    port: 'port to listen on',
    host: 'address to listen on',
    check: "check rack.yaml and this service's secrets, and exit",
  };
  return {
    program: service,
    table: [rack, runtime, ...processFlags(service, help)],
    read: (given) => ({
      rackFile: given.read('rack').text,
      runtimeDir: given.read('runtime-dir').text,
      ...readProcessFlags(given),
    }),
  };
}
