/** The contract of a service: what its `start` receives and returns. */
import type { RequestListener, ServerOptions } from 'node:http';
import type { Api } from '@skolo/api';
import type { Equipment, Finding, Rack, RackWatch, ServiceName } from '@skolo/rack';
import type { Registry } from 'prom-client';
import type { AccessControl } from './access/access-control.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { ConnectionLimits } from './connections/connection-limits.ts';
import type { CrashNotes } from './health/crash-notes.ts';
import type { DegradedList } from './health/degraded.ts';
import type { ReadinessNow } from './health/probes.ts';
import type { AnswerMalformed } from './http/request/strict-requests.ts';
import type { BoundRoute } from './http/routes.ts';
import type { Start } from './http/stages/running.ts';
import type { Clock } from './process/clock.ts';
import type { Logger } from './process/log.ts';
import type { LastSuccess } from './state/last-success.ts';

/** Input of a service's `start`. */
export interface ServiceContext {
  name: ServiceName;
  version: string;
  rack: RackWatch;
  /** Directory for all files. It may be missing, full or read-only, which does not stop the service. */
  stateDir: string;
  log: Logger;
  metrics: Registry;
  access: AccessControl;
  audit: AuditLog;
  clock: Clock;
  /** For each further server of the service. */
  connections: ConnectionLimits;
  /** Shown in `/readyz`, in addition to {@link Service.readiness}. */
  degraded: DegradedList;
  /** For each contact with a device whose answers may kill this process. */
  crashNotes: CrashNotes;
  lastSuccess: LastSuccess;
  /** Requests wait for its end, which follows that of {@link ServiceDefinition.start}. */
  start: Start;
  /** Whether the event loop lags by more than a second. */
  isOverloaded: (() => boolean) | undefined;
  /** Aborted when the service stops, before running work is finished, so that long waits end. */
  signal: AbortSignal;
}

/** A running service, as its `start` returns it. */
export interface Service {
  /** Serves the public port: the handler from createApp, or any other. */
  handler: RequestListener;
  /** Additional routes of the metrics port. */
  admin?: readonly BoundRoute[];
  readiness(): ReadinessNow;
  /** Called after the last response. */
  stop(): Promise<void>;
}

/** Determines whether a service can sign in to a device, or to a machine, which has no transport. */
export type SignInTarget = Pick<Equipment, 'name' | 'login'> &
  Partial<Pick<Equipment, 'transport'>>;

export interface ServiceDefinition {
  name: ServiceName;
  /** Content of `/openapi.json`. */
  api?: Api;
  /** Port of the API, and so of the rack's `tls`. Default: public. */
  apiPort?: 'public' | 'metrics';
  /** For the server of the public port; overrides of our defaults. */
  serverOptions?: ServerOptions;
  /** Response of the public port to malformed requests, and during the start; default: a problem. */
  answerMalformed?: AnswerMalformed;
  /** The devices that it signs in to. `--check` reads the secrets of their logins. */
  signsInTo?(rack: Rack): Iterable<SignInTarget>;
  /** Additional checks of `--check`, such as the content of secrets. */
  check?(rack: Rack): Promise<Finding[]>;
  /** Printed by `--check` if there are no errors: consequences of valid settings. */
  notes?(rack: Rack): string[];
  /** Must not wait for dependencies that may be down. */
  start(context: ServiceContext): Promise<Service>;
}
