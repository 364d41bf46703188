/** The agent's three HTTP servers: metrics, the bot's hooks, the status. */
import type { Server } from 'node:http';
import { swarmingClientApi } from '@skolo/api/swarming-client';
import {
  type AppOptions,
  type BoundRoute,
  bindRoutes,
  type Closers,
  ConnectionLimits,
  type Ends,
  httpApp,
  isSameComputer,
  newServer,
  normaliseAddress,
  openApiRoute,
  probes,
  type ReadinessNow,
  serve,
} from '@skolo/common/light';
import { Registry } from 'prom-client';
import type { Flags } from './flags.ts';
import { createHookServer, type HookDeps } from './hooks/hook-server.ts';
import { type StatusApiDeps, statusApi } from './status/status-api.ts';

interface ServersDeps {
  flags: Pick<Flags, 'host' | 'port' | 'hookPort' | 'metricsPort'>;
  core: AppOptions;
  hooks: Pick<HookDeps, 'work' | 'emit'>;
  api: StatusApiDeps;
  readiness: () => ReadinessNow;
  version: string;
  closers: Closers;
  /** The known URLs of the jumphost's services. */
  jumphostUrls: () => readonly string[];
}

export interface Ports {
  port: number;
  hookPort: number;
  metricsPort: number;
}

/** Checking for slow connections wakes the process. */
const serverOptions = { connectionsCheckingInterval: 5000 };

/** Each takes a descriptor, and without a free one no program can be run. */
const owners = {
  machine: { kind: 'machine', most: 256 },
  jumphost: { kind: 'jumphost', most: 256 },
  neighbours: { kind: 'neighbours', most: 64 },
} as const;

/** @throws ListenError A port is not available. */
export async function openServers(deps: ServersDeps): Promise<Ports> {
  const { flags, core, version, closers } = deps;
  const { host } = flags;
  const { log } = core;
  const connections = new ConnectionLimits({
    ownerOf(ends) {
      // The kubelet of this machine, and the jumphost, have room whatever other callers do.
      if (isSameComputer(ends)) return owners.machine;
      return isJumphost(ends, deps.jumphostUrls()) ? owners.jumphost : owners.neighbours;
    },
  });

  function serverOf(routes: readonly BoundRoute[]): Server {
    const { listener: handler } = httpApp(core, routes);
    return newServer({ handler, connections, serverOptions });
  }

  const listening = { log, closers, host };
  // First, because a second instance ends here.
  const metricsPort = await serve(serverOf(probes(core.metrics, deps.readiness)), {
    ...listening,
    port: flags.metricsPort,
    flag: '--metrics-port',
  });
  // Hooks have their own metrics: those of the core would add 150 series per machine.
  const hooks = createHookServer({
    core: { ...core, metrics: new Registry() },
    connections,
    work: deps.hooks.work,
    emit: deps.hooks.emit,
  });
  const hookPort = await serve(hooks, {
    ...listening,
    // The bot and its tasks are on this machine; other callers must not use them.
    host: '127.0.0.1',
    port: flags.hookPort,
    flag: '--hook-port',
  });
  const statusServer = serverOf([
    ...openApiRoute({ title: 'swarming-client', version }, swarmingClientApi),
    ...bindRoutes(swarmingClientApi, statusApi(deps.api)),
  ]);
  const port = await serve(statusServer, { ...listening, port: flags.port, flag: '--port' });
  return { port, hookPort, metricsPort };
}

function isJumphost({ remote }: Ends, urls: readonly string[]): boolean {
  const hosts = urls.map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''));
  return hosts.some((host) => normaliseAddress(host) === remote);
}
