import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { auditApi } from '@skolo/api/audit-log';
import { Counter, Registry } from 'prom-client';
import { AccessControl } from '../access/access-control.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { auditRoute } from '../audit/route.ts';
import { ConnectionLimits, type Owner, ownerKinds } from '../connections/connection-limits.ts';
import { readIpv6Neighbours } from '../connections/neighbours.ts';
import { rackOwners } from '../connections/rack-owners.ts';
import { serve } from '../connections/serve.ts';
import { secureContext, Tls } from '../connections/tls.ts';
import { CrashNotes } from '../health/crash-notes.ts';
import { DegradedList } from '../health/degraded.ts';
import { addBuildInfo, addDegraded } from '../health/metrics.ts';
import { watchPauses } from '../health/pauses.ts';
import { probes, type ReadinessNow } from '../health/probes.ts';
import { openApiRoute } from '../http/open-api.ts';
import { rejectWith } from '../http/request/strict-requests.ts';
import { toProblem } from '../http/response/to-problem.ts';
import type { BoundRoute } from '../http/routes.ts';
import { newServer } from '../http/server.ts';
import { expressApp } from '../http/service-app.ts';
import { Start } from '../http/stages/running.ts';
import type { Service, ServiceContext, ServiceDefinition } from '../service.ts';
import { LastSuccess } from '../state/last-success.ts';
import { watchStateDir } from '../state/state-dir.ts';
import { type BufferedLog, bufferedLog } from './buffered-log.ts';
import { type Clock, systemClock } from './clock.ts';
import { Closers } from './closers.ts';
import type { ProcessFlags } from './flags.ts';
import { createLogger, type Logger, type LogLevel } from './log.ts';
import type { LoopLag } from './loop-lag.ts';
import { openRack } from './open-rack.ts';
import { ownVersion } from './version.ts';

/** Interval between two log lines about too many connections. */
const quietMs = 60_000;

export interface StartOptions extends Pick<ProcessFlags, 'port' | 'metricsPort' | 'stateDir'> {
  rackFile: string;
  /** Default: all addresses. */
  host?: string | undefined;
  /** For {@link CrashNotes}; default: none. */
  runtimeDir?: string | undefined;
  /** Default `info`, on stdout. */
  logLevel?: LogLevel;
  log?: Logger;
  clock?: Clock;
  /** Default: a new registry, without metrics of the process. */
  metrics?: Registry;
  /** Default: it never lags. */
  loopLag?: LoopLag;
  /** Aborts the start, which then throws. `stop` ends a running service. */
  signal?: AbortSignal;
}

interface RunningService {
  port: number;
  metricsPort: number;
  readiness(): ReadinessNow;
  /** Stops accepting, finishes work within `stopWithin` of rack.yaml, closes everything. Can be called again. */
  stop(): Promise<void>;
}

/**
 * Runs a service in this process, without flags, signals and exit codes. Can be called repeatedly.
 *
 * @throws RackError No valid rack.yaml and no last valid copy.
 * @throws TlsError Certificate or key cannot be used; there is no fallback to plain http.
 * @throws ListenError A port is not available.
 */
export async function startService(
  definition: ServiceDefinition,
  options: StartOptions,
): Promise<RunningService> {
  const log = options.log ?? createLogger({ service: definition.name, level: options.logLevel });
  const startLog = bufferedLog(log);
  const closers = new Closers();
  try {
    return await startWith(definition, { ...options, log }, { startLog, closers });
  } catch (error) {
    startLog.release();
    await closers.closeAll(0, log);
    throw error;
  }
}

async function startWith(
  definition: ServiceDefinition,
  options: StartOptions & { log: Logger },
  { startLog, closers }: { startLog: BufferedLog; closers: Closers },
): Promise<RunningService> {
  const { name, apiPort = 'public', answerMalformed } = definition;
  const { log, host, signal: aborted } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...(aborted ? [aborted] : [])]);
  const { context, tls } = await openContext(definition, options, { startLog, closers, signal });
  const { rack, metrics, degraded, connections, crashNotes, start } = context;

  let running: Service | undefined;
  function readiness(): ReadinessNow {
    const own = running?.readiness() ?? { ready: false, degraded: [] };
    return {
      ...own,
      ready: own.ready && !signal.aborted,
      degraded: [...rack.degraded, ...degraded.list(), ...own.degraded],
    };
  }
  addDegraded(metrics, () => readiness().degraded);
  const metricsApp = expressApp(context, metricsRoutes(definition, context, readiness));
  const secure = tls.files && secureContext(tls.files);
  // First, so that probes answer during the start, and a second instance fails here.
  const metricsServer = newServer({
    handler: metricsApp.listener,
    connections,
    tls: apiPort === 'metrics' ? secure : undefined,
  });
  const listen = (server: Server, port: number, flag: string) =>
    serve(server, { log, closers, host, port, flag });
  const metricsPort = await listen(metricsServer, options.metricsPort, '--metrics-port');

  signal.throwIfAborted();
  await crashNotes.open();
  closers.add('crash notes', () => crashNotes.close());
  closers.add('service', () => running?.stop());
  function handler(request: IncomingMessage, response: ServerResponse): void {
    if (running === undefined) {
      start.wait(response).then(
        () => running?.handler(request, response),
        (error) => response.destroyed || rejectWith(answerMalformed)(toProblem(error), response),
      );
    } else running.handler(request, response);
  }
  const publicServer = newServer({
    handler,
    connections,
    serverOptions: definition.serverOptions,
    answerMalformed,
    tls: apiPort === 'public' ? secure : undefined,
  });
  const port = await listen(publicServer, options.port, '--port');
  running = await definition.start(context);
  signal.throwIfAborted();
  metricsApp.add(running.admin ?? []);
  options.loopLag?.restart();
  start.end();
  tls.use(apiPort === 'public' ? publicServer : metricsServer);
  log.info({ port, metricsPort, version: context.version }, 'listening');
  startLog.release();

  async function stop() {
    const withinMs = rack.rack.services[name].stopWithin * 1000;
    stopping.abort();
    await closers.closeAll(withinMs, log);
  }
  let stopped: Promise<void> | undefined;
  return {
    port,
    metricsPort,
    readiness,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Opens what every service has, in order. */
async function openContext(
  { name }: ServiceDefinition,
  options: StartOptions & { log: Logger },
  { startLog, closers, signal }: { startLog: BufferedLog; closers: Closers; signal: AbortSignal },
): Promise<{ context: ServiceContext; tls: Tls }> {
  const { rackFile, log, clock = systemClock, loopLag, runtimeDir: folder } = options;
  const { metrics = new Registry() } = options;
  // Programs that a service starts may run in a different directory.
  const stateDir = resolve(options.stateDir);
  const degraded = new DegradedList({ clock, log: startLog });
  addBuildInfo(metrics, { service: name, version: ownVersion });
  closers.add('pauses', watchPauses({ presence: clock.presence, metrics, degraded }));
  const stateDirWatch = await watchStateDir(stateDir, degraded);
  closers.add('state directory', () => stateDirWatch.close());
  const rack = await openRack({ rackFile, stateDir, name, clock, metrics, log: startLog });
  closers.add('rack', () => rack.close());
  const tls = new Tls({ rack, name, metrics, degraded });
  await tls.start();
  closers.add('tls', () => tls.close());
  const lastSuccess = await LastSuccess.open(stateDir, { clock, degraded });
  closers.add('last success', () => lastSuccess.close());
  const audit = new AuditLog(join(stateDir, 'audit'), { clock, degraded, metrics });
  closers.add('audit log', () => audit.close());
  const context: ServiceContext = {
    name,
    version: ownVersion,
    rack,
    stateDir,
    log,
    metrics,
    access: new AccessControl({ rack, stateDir, metrics, clock, degraded, audit }),
    audit,
    clock,
    connections: new ConnectionLimits({
      ...rackOwners({ rack, readNeighbours: readIpv6Neighbours }),
      onClosed: reportClosed(metrics, log),
    }),
    degraded,
    crashNotes: new CrashNotes({ folder, degraded, log: startLog, signal, loopLag }),
    lastSuccess,
    start: new Start(),
    isOverloaded: loopLag?.isLate,
    signal,
  };
  return { context, tls };
}

/** Probes, and what the metrics port has of the API. */
function metricsRoutes(
  { name, api, apiPort }: ServiceDefinition,
  { metrics, version, audit }: ServiceContext,
  readiness: RunningService['readiness'],
): BoundRoute[] {
  return [
    ...probes(metrics, readiness),
    ...(api ? openApiRoute({ title: name, version }, { ...api, ...auditApi }) : []),
    ...(apiPort === 'metrics' ? auditRoute(audit) : []),
  ];
}

/** Counts connections that were closed because of their number, and logs one a minute. */
function reportClosed(metrics: Registry, log: Logger): (owner: Owner) => void {
  const closed = new Counter({
    name: 'skolo_connections_closed_total',
    help: 'Connections closed because the callers that share a limit had too many connections.',
    labelNames: ['owner'],
    registers: [metrics],
  });
  // From 0, because the first value of a counter does not count as an increase.
  for (const owner of ownerKinds) closed.inc({ owner }, 0);
  let loggedAt = Number.NEGATIVE_INFINITY;
  return function onClosed({ kind, machine, most }) {
    closed.inc({ owner: kind });
    if (performance.now() - loggedAt < quietMs) return;
    loggedAt = performance.now();
    log.warn({ owner: kind, machine, most }, 'too many connections');
  };
}
