/** The three doors of the agent: metrics, the hooks of the bot, the status. */
import { createServer, type Server } from 'node:http';
import { swarmingClientApi } from '@skolo/api/swarming-client';
import {
  type AuditLog,
  answerStrictly,
  type Closers,
  drainable,
  type Logger,
  listen,
} from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';
import type { Registry } from 'prom-client';
import { authorize } from './access.ts';
import { type ApiDeps, apiHandlers } from './api.ts';
import type { Flags } from './flags.ts';
import { createHookServer, type HookDeps } from './hooks/hook-server.ts';
import { type ApiListenerDeps, createApiListener } from './http/api-listener.ts';
import { metricsPages, openApiPage, type Readiness } from './pages.ts';

export interface DoorsDeps {
  /** The name of the machine. */
  machine: string;
  flags: Pick<Flags, 'host' | 'port' | 'hookPort' | 'metricsPort'>;
  hooks: HookDeps;
  api: ApiDeps;
  readiness: () => Readiness;
  /** Who may ask. */
  access: () => MachineSlice['agent'] | undefined;
  metrics: Registry;
  audit: AuditLog;
  version: string;
  log: Logger;
  closers: Closers;
}

export interface Doors {
  port: number;
  hookPort: number;
  metricsPort: number;
}

/** Long enough for a slow line, short enough that nobody can hold connections open for nothing. */
const limits = { headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 };
/** Each is a descriptor, and without one left no program can be run. */
const mostConnections = 64;

/** @throws ListenError A port cannot be had. */
export async function openDoors(deps: DoorsDeps): Promise<Doors> {
  const { machine, flags, metrics, audit, version, log } = deps;
  const { host } = flags;
  const shared: Omit<ApiListenerDeps, 'pages'> = {
    machine,
    log,
    audit,
    metrics,
    authorize: (request, role) => authorize(request, role, deps.access()),
  };

  const pages = metricsPages(metrics, deps.readiness);
  const metricsServer = answerStrictly(
    createServer(limits),
    createApiListener({}, {}, { ...shared, pages }),
  );
  // First: a second instance ends here.
  const metricsPort = await serve(metricsServer, deps, {
    host,
    port: flags.metricsPort,
    flag: '--metrics-port',
  });

  const hookPort = await serve(createHookServer(deps.hooks), deps, {
    // Tasks are on this machine; whoever is not has no business there.
    host: '127.0.0.1',
    port: flags.hookPort,
    flag: '--hook-port',
  });

  const statusServer = answerStrictly(
    createServer(limits),
    createApiListener(swarmingClientApi, apiHandlers(deps.api), {
      ...shared,
      pages: openApiPage(swarmingClientApi, version),
    }),
  );
  const port = await serve(statusServer, deps, { host, port: flags.port, flag: '--port' });
  return { port, hookPort, metricsPort };
}

async function serve(
  server: Server,
  { log, closers }: Pick<DoorsDeps, 'log' | 'closers'>,
  where: { host: string | undefined; port: number; flag: string },
): Promise<number> {
  // That of the hooks is its own.
  if (!server.maxConnections) server.maxConnections = mostConnections;
  const { drain } = drainable(server);
  const port = await listen(server, where);
  closers.add(where.flag.slice(2), drain);
  // Too many open files, mostly: it goes on accepting when there are fewer.
  server.on('error', (error) => log.error({ err: error, port }, 'server failed to accept'));
  return port;
}
