/**
 * Exports for small processes, such as the agent on a machine with 1 GB: no express, no reader of rack.yaml. Check what
 * another file imports before adding it.
 */
export { Challenges, unsigned } from './access/challenges.ts';
export { whoMakesRoom } from './access/fair-share.ts';
export { AuditLog } from './audit.ts';
export { type BackOffOptions, backOffMs } from './back-off.ts';
export { cameThroughProxy, inNetworks, normaliseAddress } from './client-address.ts';
export { type Clock, readBootId, systemClock } from './clock.ts';
export { Closers } from './closers.ts';
export { ConnectionLimits, type Ends, isSameComputer } from './connections/limits.ts';
export { type Degraded, DegradedList } from './degraded.ts';
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
export { pathOf, plainHeaders } from './http/exchange.ts';
export { acceptsGzip, gzipHeaders, gzipTo, isWorthGzip } from './http/gzip.ts';
export { createListener, readText } from './http/node-http.ts';
export { probes, type ReadinessNow } from './http/probes.ts';
export { HttpProblem } from './http/problem.ts';
export { type BoundRoute, bindRoutes, type RouteHandlers } from './http/routes.ts';
export { newServer } from './http/server.ts';
export { answerStrictly } from './http/strict-requests.ts';
export { toProblem } from './http/to-problem.ts';
export { ListenError } from './listen.ts';
export {
  createLogger,
  type EventLog,
  type Logger,
  prettyLines,
} from './log.ts';
export {
  addBuildInfo,
  addDegraded,
  type GaugeSample,
  type GaugeSpec,
  processMetrics,
  registerGauges,
} from './metrics.ts';
export { pause } from './pause.ts';
export { type ProcessFlags, processFlags, readProcessFlags } from './process-flags.ts';
export { serve } from './serve.ts';
export { watchStateDir } from './state-dir.ts';
export { ownVersion } from './version.ts';
