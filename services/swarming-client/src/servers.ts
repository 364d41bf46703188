/** The three doors of the agent: metrics, the hooks of the bot, the status. */
import type { Server } from 'node:http';
import { swarmingClientApi } from '@skolo/api/swarming-client';
import {
  type Access,
  type AuditLog,
  type BoundRoute,
  bindRoutes,
  type Closers,
  createCore,
  createListener,
  type Logger,
  newServer,
  openApiRoute,
  probes,
  type ReadinessNow,
  serve,
} from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';
import type { Registry } from 'prom-client';
import type { Flags } from './flags.ts';
import { createHookServer, type HookDeps } from './hooks/hook-server.ts';
import { type ApiDeps, apiHandlers, authorize } from './status-api.ts';

export interface DoorsDeps {
  /** The name of the machine. */
  machine: string;
  flags: Pick<Flags, 'host' | 'port' | 'hookPort' | 'metricsPort'>;
  hooks: HookDeps;
  api: ApiDeps;
  readiness: () => ReadinessNow;
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

/** A look at slow connections wakes the process: as seldom as Node has it. */
const serverOptions = { connectionsCheckingInterval: 30_000 };
/** Each is a descriptor, and without one left no program can be run. */
const mostConnections = 64;

/** @throws ListenError A port cannot be had. */
export async function openDoors(deps: DoorsDeps): Promise<Doors> {
  const { machine, flags, metrics, version, closers, log } = deps;
  const { host } = flags;
  const access: Access = {
    admit: (request, role) => authorize(request, role, deps.access()),
  };

  function serverOf(routes: readonly BoundRoute[]): Server {
    const core = createCore({ ...deps, access, self: machine }, routes);
    const server = newServer({ handler: createListener(core), serverOptions });
    server.maxConnections = mostConnections;
    return server;
  }

  const listening = { log, closers, host };
  // First: a second instance ends here.
  const metricsPort = await serve(serverOf(probes(metrics, deps.readiness)), {
    ...listening,
    port: flags.metricsPort,
    flag: '--metrics-port',
  });
  const hookPort = await serve(createHookServer(deps.hooks), {
    ...listening,
    // Tasks are on this machine; whoever is not has no business there.
    host: '127.0.0.1',
    port: flags.hookPort,
    flag: '--hook-port',
  });
  const statusServer = serverOf([
    ...openApiRoute({ title: 'swarming-client', version }, swarmingClientApi),
    ...bindRoutes(swarmingClientApi, apiHandlers(deps.api)),
  ]);
  const port = await serve(statusServer, { ...listening, port: flags.port, flag: '--port' });
  return { port, hookPort, metricsPort };
}
