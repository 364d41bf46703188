import type { RequestListener, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Api } from '@skolo/api';
import type { Rack, RackWatch, ServiceName } from '@skolo/rack';
import type { Registry } from 'prom-client';
import type { AccessControl } from './access/access-control.ts';
import type { AuditLog } from './audit.ts';
import type { Clock } from './clock.ts';
import type { DegradedList } from './degraded.ts';
import type { ReadinessNow } from './http/probes.ts';
import type { BoundRoute } from './http/routes.ts';
import type { AnswerMalformed } from './http/strict-requests.ts';
import type { LastSuccess } from './last-success.ts';
import type { Logger } from './log.ts';

/** What a service is given. */
export interface ServiceContext {
  name: ServiceName;
  version: string;
  rack: RackWatch;
  /** All that it writes goes there. It may be missing, full or read-only: that is not a reason to stop. */
  stateDir: string;
  log: Logger;
  metrics: Registry;
  access: AccessControl;
  audit: AuditLog;
  clock: Clock;
  /** For what is degraded from time to time; shown in `/readyz` beside what {@link Service.readiness} says. */
  degraded: DegradedList;
  lastSuccess: LastSuccess;
  /** Aborted when the service is to stop, before what is under way is finished: long waits end now. */
  signal: AbortSignal;
}

/** A running service, as its `start` returns it. */
export interface Service {
  /** Answers the public port: an app of createApp, or a plain handler of node:http. */
  handler: RequestListener;
  /** For the server of the public port; each overrides a default of ours. */
  serverOptions?: ServerOptions;
  /** How the public port answers what Node cannot read as a request; default: as a problem. */
  answerMalformed?: AnswerMalformed;
  /** Called with each connection to the public port, before its first request. */
  onConnection?: (socket: Socket) => void;
  /** More routes of the metrics port. */
  admin?: readonly BoundRoute[];
  readiness(): ReadinessNow;
  /** Called when nobody is being answered any more. */
  stop(): Promise<void>;
}

/** What main.ts gives to runService. */
export interface ServiceDefinition {
  name: ServiceName;
  /** What `/openapi.json` says. */
  api?: Api;
  /** On which port the API, and so the rack's `tls`, is. Default: the public one. */
  apiPort?: 'public' | 'metrics';
  /** Reads each secret that this service uses; one line for each that is wrong. */
  checkSecrets(rack: Rack): Promise<string[]>;
  /** Must not wait for anything that may be down. */
  start(context: ServiceContext): Promise<Service>;
}
