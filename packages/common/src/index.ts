export { AccessControl, type Caller } from './access/access-control.ts';
export { Challenges, unsigned } from './access/challenges.ts';
export { anonymous, CallerLimit } from './access/limits.ts';
export { RateLimiter } from './access/rate-limiter.ts';
export {
  listTokens,
  newToken,
  revokeToken,
  type TokenInfo,
} from './access/token-file.ts';
export { AuditLog, AuditUnavailable } from './audit.ts';
export { type BackOffOptions, backOffMs } from './back-off.ts';
export { tokenFileFindings } from './check-configuration.ts';
export { cameThroughProxy, clientAddress, inNetworks, normaliseAddress } from './client-address.ts';
export { type Clock, systemClock } from './clock.ts';
export type { ConnectionLimits } from './connections/limits.ts';
export { type Degraded, DegradedList } from './degraded.ts';
export { createEvents, type Emit, type Events } from './events.ts';
export { browserGetProblem, browserProblem } from './http/browser-check.ts';
export { plainHeaders, requestIdFrom, statusOf } from './http/exchange.ts';
export { createApp } from './http/express.ts';
export { type HostCheck, hostCheck } from './http/host-check.ts';
export { jsonErrorOffset, lineAndColumn } from './http/json-position.ts';
export { HttpProblem } from './http/problem.ts';
export { resolveId } from './http/resolve-id.ts';
export {
  bindRoutes,
  type RouteHandlers,
} from './http/routes.ts';
export { requestLimits } from './http/server.ts';
export { onStrictRequest } from './http/strict-requests.ts';
export { toProblem } from './http/to-problem.ts';
export { LastSuccess } from './last-success.ts';
export { listen } from './listen.ts';
export { Locks } from './locks.ts';
export { createLogger, type Logger } from './log.ts';
export {
  type GaugeSample,
  type GaugeSpec,
  httpRequestDuration,
  registerGauges,
} from './metrics.ts';
export { type FindMac, neighbourTable } from './neighbours.ts';
export { type RepeatableRequest, Repetitions, requestRecord } from './repetitions.ts';
export { runService } from './run-service.ts';
export type { Service, ServiceContext, ServiceDefinition, SignInTarget } from './service.ts';
export { startService } from './start-service.ts';
export { StateJournal } from './state-journal.ts';
