/** Routes of an API with their handlers: what a core answers. */
import {
  type Api,
  pathParams,
  type RouteAnswer,
  type RouteRequest,
  type RouteSpec,
} from '@skolo/api/route';
import type { Caller } from '../access/access-control.ts';
import type { Logger } from '../log.ts';

/** What a handler gets beside params, query, headers and body. */
export interface RouteContext<R extends RouteSpec = RouteSpec> {
  /** Who asks; undefined where the route requires no role. */
  caller: R extends { role: string } ? Caller : undefined;
  /** Address of who asks. */
  from: string;
  requestId: string;
  /** Names the request id in each line. */
  log: Logger;
}

/** Statuses that an API may say. Literals, or TypeScript takes the `200` of a handler without parameters for any number. */
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

/** What a handler gives back, of whatever route. */
export interface AnyAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
  type?: string;
  follow?: (send: (name: string, data: unknown) => void) => () => void;
}

/** A route with its handler. */
export interface BoundRoute {
  name: string;
  spec: RouteSpec;
  /** Of the whole path. A slash may follow. */
  pattern: RegExp;
  /** The path as metrics name it: `/v1/things/:name`. */
  label: string;
  handler: (request: Record<string, unknown>) => AnyAnswer | Promise<AnyAnswer>;
}

/** The routes of an API, bound to their handlers. */
export function bindRoutes<A extends Api>(
  api: A,
  handlers: RouteHandlers<NoInfer<A>>,
): BoundRoute[] {
  // Each handler gets what its own route's schemas have parsed; a loop over all of them cannot say so.
  const untyped = handlers as unknown as Readonly<Record<string, BoundRoute['handler']>>;
  const bound = Object.entries<RouteSpec>(api).map(([name, spec]) => {
    const handler = untyped[name];
    if (handler === undefined) throw new TypeError(`${name}: no handler`);
    const pattern = new RegExp(`^${spec.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`);
    return { name, spec, pattern, label: spec.path.replace(/\{(\w+)\}/g, ':$1'), handler };
  });
  // `/v1/things/events` goes before `/v1/things/{id}`.
  return bound.sort((a, b) => pathParams(a.spec.path).length - pathParams(b.spec.path).length);
}
