/**
 * Exports for small processes, such as the agent on a machine with 1 GB: no reader of rack.yaml. Check what
 * another file imports before adding it.
 */
export { Challenges, unsigned } from './access/challenges.ts';
export { whoMakesRoom } from './access/fair-share.ts';
export { AuditLog } from './audit/audit-log.ts';
export { cameThroughProxy, inNetworks, normaliseAddress } from './connections/client-address.ts';
export { ConnectionLimits, type Ends, isSameComputer } from './connections/connection-limits.ts';
export { listen } from './connections/listen.ts';
export { serve } from './connections/serve.ts';
export { createEvents, type Emit } from './events.ts';
export { type Degraded, DegradedList } from './health/degraded.ts';
export {
  addBuildInfo,
  addDegraded,
  type GaugeSample,
  type GaugeSpec,
  processMetrics,
  registerGauges,
} from './health/metrics.ts';
export { probes, type ReadinessNow } from './health/probes.ts';
export { httpApp } from './http/app.ts';
export { commandApp } from './http/command-app.ts';
export { pathOf } from './http/exchange.ts';
export { openApiRoute } from './http/open-api.ts';
export type { Access, AppOptions, Stage } from './http/options.ts';
export { browserProblem } from './http/request/browser-check.ts';
export { hostCheck } from './http/request/host-check.ts';
export { acceptsGzip, gzipHeaders, gzipTo, isWorthGzip } from './http/response/gzip.ts';
export { HttpProblem } from './http/response/problem.ts';
export { type BoundRoute, bindRoutes, type RouteHandlers } from './http/routes.ts';
export { newServer } from './http/server.ts';
export { forbid } from './http/stages/forbid.ts';
export { wrongMethod } from './http/stages/not-found.ts';
export { type Clock, systemClock } from './process/clock.ts';
export { Closers } from './process/closers.ts';
export {
  type Flag,
  type FlagSet,
  parseFlags,
  parsePort,
  UsageError,
} from './process/flag-table.ts';
export { type ProcessFlags, processFlags, readProcessFlags } from './process/flags.ts';
export {
  createLogger,
  type EventLog,
  type Logger,
} from './process/log.ts';
export { runProgram } from './process/run-program.ts';
export { ownVersion } from './process/version.ts';
export { watchStateDir } from './state/state-dir.ts';
