/** A service's process: flags, rack.yaml, state, sign-in, HTTP server, audit log, health. */
export { AccessControl, type Caller } from './access/access-control.ts';
export { Challenges, unsigned } from './access/challenges.ts';
export { RateLimiter } from './access/rate-limiter.ts';
export {
  listTokens,
  newToken,
  revokeToken,
  type TokenInfo,
} from './access/token-file.ts';
export { AuditLog, type NewAuditEntry, type Noted } from './audit/audit-log.ts';
export {
  cameThroughProxy,
  clientAddress,
  inNetworks,
  normaliseAddress,
} from './connections/client-address.ts';
export { ConfiguredPort } from './connections/configured-port.ts';
export type { ConnectionLimits } from './connections/connection-limits.ts';
export { listen } from './connections/listen.ts';
export { type FindMac, neighbourTable } from './connections/neighbours.ts';
export { createEvents, type Emit, type Events } from './events.ts';
export { CrashNotes } from './health/crash-notes.ts';
export { type Degraded, DegradedList, degradedCode } from './health/degraded.ts';
export {
  type GaugeSample,
  type GaugeSpec,
  httpRequestDuration,
  registerGauges,
} from './health/metrics.ts';
export { plainHeaders, requestIdFrom, statusOf } from './http/exchange.ts';
export { type RepeatableRequest, Repetitions, requestRecord } from './http/repetitions.ts';
export { BodiesInFlight, type BodyShare, bodiesInFlight } from './http/request/bodies-in-flight.ts';
export { readBytes } from './http/request/body.ts';
export { browserGetProblem, browserProblem } from './http/request/browser-check.ts';
export { type HostCheck, hostCheck } from './http/request/host-check.ts';
export { jsonErrorOffset, lineAndColumn } from './http/request/json-position.ts';
export { rejectWith } from './http/request/strict-requests.ts';
export { resolveId } from './http/resolve-id.ts';
export { HttpProblem } from './http/response/problem.ts';
export { placeOf, storageText, toProblem } from './http/response/to-problem.ts';
export {
  bindRoutes,
  type RouteHandlers,
} from './http/routes.ts';
export { newServer } from './http/server.ts';
export { createApp, expressApp, newExpress } from './http/service-app.ts';
export { Locks } from './locks.ts';
export {
  alertmanagerUrl,
  isAlertmanagerAt,
  withServiceAddress,
} from './process/alertmanager-url.ts';
export { tokenFileFindings } from './process/check-configuration.ts';
export { type Clock, systemClock, wallTime } from './process/clock.ts';
export { createLogger, type Logger } from './process/log.ts';
export { Presence } from './process/presence.ts';
export { isOfRack, rackMatcher } from './process/rack-label.ts';
export { runService } from './process/run-service.ts';
export { startService } from './process/start-service.ts';
export type { Service, ServiceContext, ServiceDefinition, SignInTarget } from './service.ts';
export { LastSuccess } from './state/last-success.ts';
export { StateJournal } from './state/state-journal.ts';
