/**
 * Exports for small processes, such as the agent on a machine with 1 GB: no express, no reader of rack.yaml. Check what
 * another file imports before adding it.
 */
export type { Caller } from './access/access-control.ts';
export { AuditEntry, AuditLog, AuditUnavailable, type NewAuditEntry } from './audit.ts';
export { type BackOffOptions, backOffMs } from './back-off.ts';
export { inNetworks, normaliseAddress } from './client-address.ts';
export { type Clock, createClock, readBootId, systemClock } from './clock.ts';
export { Closers } from './closers.ts';
export { type Degraded, DegradedList } from './degraded.ts';
export { drainable } from './drain.ts';
export { endProcess } from './end-process.ts';
export { createEvents, type Emit, type Events } from './events.ts';
export { exitCodes } from './exit-codes.ts';
export { type Flag, parsePort, readFlags, UsageError, usageOf } from './flag-table.ts';
export { browserProblem } from './http/browser-check.ts';
export {
  type Access,
  type CoreOptions,
  createCore,
  openApiRoute,
  wrongMethod,
} from './http/core.ts';
export { Exchange } from './http/exchange.ts';
export { type HostCheck, hostCheck } from './http/host-check.ts';
export { createListener, readText } from './http/node-http.ts';
export { probes, type ReadinessNow } from './http/probes.ts';
export { HttpProblem, type HttpProblemOptions } from './http/problem.ts';
export { type BoundRoute, bindRoutes, type RouteHandlers } from './http/routes.ts';
export { newServer } from './http/server.ts';
export { answerStrictly } from './http/strict-requests.ts';
export { LastSuccess } from './last-success.ts';
export { ListenError, listen } from './listen.ts';
export {
  createLogger,
  type EventLog,
  type Logger,
  type LogLevel,
  logLevels,
  prettyLines,
} from './log.ts';
export {
  addBuildInfo,
  addDegraded,
  type GaugeSample,
  type GaugeSpec,
  httpRequestDuration,
  processMetrics,
  registerGauges,
} from './metrics.ts';
export { pause } from './pause.ts';
export { type ProcessFlags, processFlags, readProcessFlags } from './process-flags.ts';
export { serve } from './serve.ts';
export { watchStateDir } from './state-dir.ts';
export { ownVersion } from './version.ts';
