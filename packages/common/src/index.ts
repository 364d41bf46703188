export { AccessControl, type Caller } from './access/access-control.ts';
export {
  listTokens,
  type NewTokenOptions,
  newToken,
  revokeToken,
  TokenFile,
  TokenFileError,
  type TokenInfo,
} from './access/token-file.ts';
export {
  AuditEntry,
  AuditLog,
  type AuditReading,
  AuditUnavailable,
  type NewAuditEntry,
} from './audit.ts';
export { type BackOffOptions, backOffMs } from './back-off.ts';
export { cameThroughProxy, clientAddress, inNetworks, normaliseAddress } from './client-address.ts';
export { type Clock, createClock, readBootId, systemClock } from './clock.ts';
export { type Degraded, DegradedList } from './degraded.ts';
export { createEvents, type Emit, type Events } from './events.ts';
export { exitCodes } from './exit-codes.ts';
export { browserGetProblem, browserProblem } from './http/browser-check.ts';
export { plainHeaders, requestIdFrom, statusOf } from './http/exchange.ts';
export { type AppOptions, createApp } from './http/express.ts';
export { type HostCheck, hostCheck } from './http/host-check.ts';
export { jsonErrorOffset, lineAndColumn } from './http/json-position.ts';
export { HttpProblem, type HttpProblemOptions } from './http/problem.ts';
export { resolveId } from './http/resolve-id.ts';
export {
  type BoundRoute,
  bindRoutes,
  type RouteContext,
  type RouteHandlers,
} from './http/routes.ts';
export { type AnswerMalformed, answerStrictly, onStrictRequest } from './http/strict-requests.ts';
export { toProblem } from './http/to-problem.ts';
export { LastSuccess, type LastSuccessDeps } from './last-success.ts';
export { ListenError, listen } from './listen.ts';
export { Locks } from './locks.ts';
export { createLogger, type Logger, type LogLevel } from './log.ts';
export {
  type GaugeSample,
  type GaugeSpec,
  httpRequestDuration,
  registerGauges,
} from './metrics.ts';
export { pause } from './pause.ts';
export { runService } from './run-service.ts';
export type { Service, ServiceContext, ServiceDefinition } from './service.ts';
export { type RunningService, type StartOptions, startService } from './start-service.ts';
export { StateJournal } from './state-journal.ts';
