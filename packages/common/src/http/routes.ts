/** Binds the routes of an API to their handlers. */
import {
  type Api,
  pathParams,
  type Role,
  type RouteAnswer,
  type RouteRequest,
  type RouteSpec,
} from '@skolo/api/route';
import type { Caller } from '../access/access-control.ts';
import type { Logger } from '../process/log.ts';

/** Input of a handler besides params, query, headers and body. */
interface RouteContext<R extends RouteSpec = RouteSpec> {
  /** Undefined if the route requires neither a role nor a machine. */
  caller: R extends { role: Role } | { machine: true } ? Caller : undefined;
  /** Address of the caller. */
  from: string;
  requestId: string;
  /** Adds the request ID to each line. */
  log: Logger;
  /** Charges the caller for work beyond that of an average call, if the route has a `limit`. @throws HttpProblem 429 */
  spend(cost: number): void;
  /** Aborted when the connection is closed, even after the response. */
  hungUp: AbortSignal;
}

/** Statuses of an API. Literals, or TypeScript widens the `200` of a handler without parameters to a number. */
type Status =
  | (200 | 201 | 202 | 203 | 204 | 206 | 303 | 304)
  | (400 | 403 | 404 | 409 | 410 | 412 | 422 | 423 | 429)
  | (500 | 501 | 502 | 503 | 504);

type Answer<R extends RouteSpec> = RouteAnswer<R> & { status: Status };

/** A handler for every route of an API. */
export type RouteHandlers<A extends Api> = {
  readonly [Name in keyof A]: (
    request: RouteRequest<A[Name]> & RouteContext<A[Name]>,
  ) => Answer<A[Name]> | Promise<Answer<A[Name]>>;
};

/** The response of any handler. */
export interface AnyAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
  type?: string;
  follow?: (send: (name: string, data: unknown, id?: string) => void) => () => void;
}

/** A route with its handler. */
export interface BoundRoute {
  name: string;
  spec: RouteSpec;
  /** The path, as Express and metrics have it: `/v1/things/:name`. */
  label: string;
  handler: (request: Record<string, unknown>) => AnyAnswer | Promise<AnyAnswer>;
}

/** The routes of an API, bound to their handlers. */
export function bindRoutes<A extends Api>(
  api: A,
  handlers: RouteHandlers<NoInfer<A>>,
): BoundRoute[] {
  // Each handler gets the types of its own schemas, which a loop cannot express.
  const untyped = handlers as unknown as Readonly<Record<string, BoundRoute['handler']>>;
  const bound = Object.entries<RouteSpec>(api).map(([name, spec]) => {
    const handler = untyped[name];
    if (handler === undefined) throw new TypeError(`${name}: no handler`);
    return { name, spec, label: spec.path.replace(/\{(\w+)\}/g, ':$1'), handler };
  });
  // `/v1/things/events` before `/v1/things/{id}`.
  return bound.sort((a, b) => pathParams(a.spec.path).length - pathParams(b.spec.path).length);
}
