import { hostname } from 'node:os';
import type { Api, RouteAnswer, RouteRequest, RouteSpec } from '@skolo/api';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { AccessControl, Caller } from '../access/access-control.ts';
import type { AuditLog } from '../audit.ts';
import { clientAddress } from '../client-address.ts';
import type { Logger } from '../log.ts';
import { audited } from './audited.ts';
import { jsonBody } from './json-body.ts';
import { HttpProblem } from './problem.ts';

/** What a handler gets beside params, query, headers and body. */
export interface RouteContext {
  /** Who asks; undefined where the route requires no role. */
  caller: Caller | undefined;
  /** Address of who asks. */
  from: string;
  requestId: string;
  /** Names the request id in each line. */
  log: Logger;
}

export interface RouteDeps {
  access: AccessControl;
  audit: AuditLog;
  /** The largest body that is read; default 1 MiB. */
  bodyLimitBytes?: number;
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
    request: RouteRequest<A[Name]> & RouteContext,
  ) => Answer<A[Name]> | Promise<Answer<A[Name]>>;
};

type Handler = RouteHandlers<Api>[string];

/**
 * The routes of an API, bound to their handlers. What a handler gets has the right role and passed the route's schemas;
 * what it gives back passes the schema of its status, so that nothing is sent that the API does not say. A change is in
 * the audit log before it is made ({@link audited}).
 */
export function routes<A extends Api>(
  api: A,
  handlers: RouteHandlers<NoInfer<A>>,
  deps: RouteDeps,
): Router {
  const router = Router({ caseSensitive: true });
  const methodsByPath = new Map<string, Set<string>>();
  // Each handler gets what its own route's schemas have parsed; a loop over all of them cannot say so.
  const untyped = handlers as unknown as Readonly<Record<string, Handler>>;
  for (const [name, spec] of Object.entries<RouteSpec>(api)) {
    const handler = untyped[name];
    if (handler === undefined) throw new TypeError(`${name}: no handler`);
    const path = spec.path.replace(/\{(\w+)\}/g, ':$1');
    router[spec.method](path, ...guards(spec, deps), answer(name, spec, handler, deps));
    const methods = methodsByPath.get(path) ?? new Set();
    methodsByPath.set(path, methods.add(spec.method.toUpperCase()));
  }
  for (const [path, methods] of methodsByPath) router.all(path, otherMethods(methods));
  return router;
}

function guards(spec: RouteSpec, { access, bodyLimitBytes }: RouteDeps): RequestHandler[] {
  return [
    ...(spec.role ? [access.require(spec.role)] : []),
    ...(spec.body ? jsonBody(bodyLimitBytes) : []),
  ];
}

function answer(name: string, spec: RouteSpec, handler: Handler, deps: RouteDeps): RequestHandler {
  return async function answerRoute(request, response) {
    const parsed = parseRequest(spec, request);
    const { caller, log, requestId } = response.locals;
    const from = clientAddress(request);
    async function make() {
      return handler({ ...parsed, caller, log, requestId, from });
    }
    const given = await audited(
      {
        name,
        spec,
        given: parsed,
        caller: { who: caller?.name ?? 'anonymous', role: caller?.role, from },
        requestId,
        self: hostname(),
      },
      { audit: deps.audit, log, make },
    );
    send(spec, given, response);
  };
}

interface Parsed {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: undefined;
}

/** All that is wrong with params, query, headers and body at once. */
function parseRequest(spec: RouteSpec, request: Request): Parsed {
  const nothing = z.object({});
  const schema = z.object({
    params: spec.params ?? nothing,
    query: spec.query ?? nothing,
    headers: spec.headers ?? nothing,
    body: spec.body ?? z.undefined(),
  });
  const { params, query, headers } = request;
  const parsed = schema.safeParse({ params, query, headers, body: spec.body && request.body });
  if (parsed.success) return parsed.data as Parsed;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem(400, detail, { members: { errors } });
}

function send(
  spec: RouteSpec,
  given: { status: number; body?: unknown; headers?: Record<string, string> },
  response: Response,
) {
  if (!Object.hasOwn(spec.answers, given.status)) {
    throw new TypeError(`${spec.method} ${spec.path} does not answer ${given.status}`);
  }
  const schema = spec.answers[given.status];
  response.status(given.status).set(given.headers ?? {});
  if (schema === undefined) response.end();
  else response.json(schema.parse(given.body));
}

/** OPTIONS says what there is; any other method is told so. */
export function otherMethods(methods: ReadonlySet<string>): RequestHandler {
  const allowed = new Set([...methods, ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS']);
  const allow = [...allowed].sort().join(', ');
  return function onlyAllowed(request, response) {
    if (request.method === 'OPTIONS') {
      response.status(204).set('allow', allow).end();
      return;
    }
    throw new HttpProblem(
      405,
      `${request.path} does not take ${request.method}; it takes ${allow}`,
      {
        headers: { allow },
      },
    );
  };
}
