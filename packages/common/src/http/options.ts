/** The parts that an HTTP API requires, and its stages as Express calls them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Right, Role } from '@skolo/api/route';
import type { Registry } from 'prom-client';
import type { Caller } from '../access/access-control.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import type { Exchange, ExchangeOptions } from './exchange.ts';

/** Access control of a route. */
export interface Access {
  /**
   * @param right with which a lower role suffices
   * @param log called only to log something: making the log of a request takes long
   * @throws HttpProblem 401, 403, or 503 if it cannot be decided.
   */
  admit(
    request: IncomingMessage,
    role: Role,
    log: () => Logger,
    right?: Right,
  ): Caller | Promise<Caller>;
  /** Admits a machine that asks for itself. @throws HttpProblem 401, 403 */
  admitMachine?(request: IncomingMessage): Promise<Caller>;
  /** Headers of each response. */
  headers?(): Record<string, string>;
}

export interface AppOptions extends ExchangeOptions {
  metrics: Registry;
  access: Access;
  /** Undefined: none of the routes is audited. */
  audit?: AuditLog | undefined;
  /** For limits of callers; default: the computer's. */
  clock?: Pick<Clock, 'uptime'> | undefined;
  /** For an app that is reachable before it has ended. */
  start?: { isOver: boolean; wait(response: ServerResponse): Promise<void> } | undefined;
  /** Whether routes of the role `view` are rejected, except streams. */
  isOverloaded?: (() => boolean) | undefined;
  /** Aborted when the service stops: ends streams, and rejects further requests. */
  signal?: AbortSignal | undefined;
}

type Next = (error?: unknown) => void;
/** The first stage sets what it holds. */
type Response = ServerResponse & { locals: { exchange: Exchange } };
/** As Express calls it. What it throws becomes a problem. */
export type Stage = (
  request: IncomingMessage & { params: Record<string, string> },
  response: Response,
  next: Next,
) => void | Promise<void>;
export type Failed = (
  error: unknown,
  request: IncomingMessage,
  response: Response,
  next: Next,
) => void;

/** An app of Express; or its router alone, in small processes. */
export interface Router {
  (request: IncomingMessage, response: ServerResponse, next: Next): void;
  use(stage: Stage | Failed | Router): unknown;
  route(path: string): Record<'all' | 'get' | 'post' | 'put' | 'delete', (stage: Stage) => unknown>;
}
