/**
 * Answers the routes of an API as the other services do (packages/common/src/http), without express: that would take a
 * sixth of the memory that the agent may have.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Api, Role, RouteSpec } from '@skolo/api/route';
import {
  type AuditLog,
  audited,
  errorText,
  HttpProblem,
  httpRequestDuration,
  type Logger,
  requestIdFrom,
  toProblem,
} from '@skolo/common/light';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { readText } from './read-text.ts';

/** Who asks, once it is clear that he may. */
export interface ApiCaller {
  name: string;
  role: Role;
}

export interface ApiAnswer {
  status: number;
  body?: unknown;
}

/** A handler for each route; what it gets has passed the route's schemas. */
export type ApiHandlers<A extends Api> = {
  readonly [Name in keyof A]: (request: {
    params: Parsed<A[Name]['params']>;
    query: Parsed<A[Name]['query']>;
    body: Parsed<A[Name]['body']>;
    caller: ApiCaller | undefined;
  }) => ApiAnswer | Promise<ApiAnswer>;
};
type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** A page beside the API: `/metrics`, `/readyz`. */
export type Page = () => Promise<{ status: number; type: string; text: string }>;

export interface ApiListenerDeps {
  /** The name of the machine, for the audit log. */
  machine: string;
  log: Logger;
  audit: AuditLog;
  metrics: Registry;
  /** @throws HttpProblem 401 or 403 */
  authorize(request: IncomingMessage, role: Role): ApiCaller;
  pages: Readonly<Record<string, Page>>;
}

const bodyMostBytes = 64 * 1024;

interface Bound {
  name: string;
  spec: RouteSpec;
  pattern: RegExp;
  handler: (request: Record<string, unknown>) => ApiAnswer | Promise<ApiAnswer>;
}

export function createApiListener<A extends Api>(
  api: A,
  handlers: ApiHandlers<NoInfer<A>>,
  deps: ApiListenerDeps,
): RequestListener {
  const { log } = deps;
  const bound = bind(api, handlers);
  const duration = httpRequestDuration(deps.metrics);

  async function answer(request: IncomingMessage, response: ServerResponse, requestId: string) {
    const url = urlOf(request);
    const page = deps.pages[url.pathname];
    if (page !== undefined) {
      if (!isRead(request)) throw wrongMethod(request, ['GET', 'HEAD']);
      const { status, type, text } = await page();
      send(request, response, status, type, text);
      return url.pathname;
    }
    const here = bound.filter(({ pattern }) => pattern.test(url.pathname));
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = here.find(({ spec }) => spec.method.toUpperCase() === method);
    if (found === undefined) {
      if (here.length > 0) {
        throw wrongMethod(
          request,
          here.map(({ spec }) => spec.method.toUpperCase()),
        );
      }
      const hint = 'check the path, /openapi.json lists what there is';
      throw new HttpProblem(404, `there is no ${url.pathname} here; ${hint}`);
    }
    const { status, body } = await call(found, url, request, requestId);
    const schema = found.spec.answers[status];
    if (schema === undefined) send(request, response, status, undefined, '');
    else send(request, response, status, 'application/json', JSON.stringify(schema.parse(body)));
    return found.spec.path;
  }

  async function call(
    { name, spec, pattern, handler }: Bound,
    url: URL,
    request: IncomingMessage,
    requestId: string,
  ): Promise<ApiAnswer> {
    const caller = spec.role && deps.authorize(request, spec.role);
    const given = parse(spec, {
      params: decoded(pattern.exec(url.pathname)?.groups ?? {}),
      query: Object.fromEntries(url.searchParams),
      body: spec.body && (await readJson(request)),
    });
    const make = async () => handler({ ...given, caller });
    const from = request.socket.remoteAddress ?? '';
    return audited(
      {
        name,
        spec,
        given,
        caller: { who: caller?.name ?? 'anonymous', role: caller?.role, from },
        requestId,
        self: deps.machine,
      },
      { audit: deps.audit, log, make },
    );
  }

  return function listener(request, response) {
    const startedAt = performance.now();
    const header = request.headers['x-request-id'];
    const requestId = requestIdFrom(Array.isArray(header) ? header[0] : header);
    response.setHeader('x-request-id', requestId);
    answer(request, response, requestId)
      .catch((error: unknown) => {
        const problem = toProblem(error);
        if (problem.status >= 500) log.error({ err: error, requestId }, 'request failed');
        if (response.headersSent) response.destroy();
        else sendProblem(request, response, problem);
        return 'none';
      })
      .then((route) => {
        const seconds = (performance.now() - startedAt) / 1000;
        duration.observe(
          { method: request.method ?? '', route, code: response.statusCode },
          seconds,
        );
      })
      .catch((error: unknown) => log.error({ why: errorText(error) }, 'request not counted'));
  };
}

/** @throws HttpProblem 400: what a browser would never ask for, such as `//`. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  if (url.startsWith('/') && URL.canParse(`http://agent${url}`))
    return new URL(`http://agent${url}`);
  throw new HttpProblem(400, 'what is asked for is no path; begin it with one /');
}

function bind<A extends Api>(api: A, handlers: ApiHandlers<A>): Bound[] {
  // Each handler gets what its own route's schemas have parsed; a loop over all of them cannot say so.
  const untyped = handlers as unknown as Record<string, Bound['handler']>;
  return Object.entries<RouteSpec>(api).map(([name, spec]) => {
    const handler = untyped[name];
    if (handler === undefined) throw new TypeError(`${name}: no handler`);
    const pattern = new RegExp(`^${spec.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
    return { name, spec, pattern, handler };
  });
}

function decoded(groups: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([key, value]) => [key, decodeURIComponent(value)]),
    );
  } catch {
    throw new HttpProblem(400, 'the path has a bad %-escape; write each % as %25');
  }
}

const nothing = z.object({});

/** All that is wrong with params, query and body at once. */
function parse(spec: RouteSpec, given: Record<'params' | 'query' | 'body', unknown>) {
  const schema = z.object({
    params: spec.params ?? nothing,
    query: spec.query ?? nothing,
    body: spec.body ?? z.undefined(),
  });
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem(400, detail, { members: { errors } });
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readText(request, bodyMostBytes);
  if (text === undefined) {
    throw new HttpProblem(413, `the body is larger than ${bodyMostBytes} bytes`);
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'the body is not JSON');
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function wrongMethod({ method, url }: IncomingMessage, methods: readonly string[]): HttpProblem {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])];
  const list = [...new Set(allow)].sort().join(', ');
  return new HttpProblem(405, `${url} does not take ${method}; it takes ${list}`, {
    headers: { allow: list },
  });
}

function sendProblem(request: IncomingMessage, response: ServerResponse, problem: HttpProblem) {
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
  // What is left of a body that is too large is not read.
  if (!request.complete) response.setHeader('connection', 'close');
  send(request, response, problem.status, 'application/problem+json', JSON.stringify(problem));
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string | undefined,
  text: string,
) {
  response.writeHead(status, {
    ...(type !== undefined && { 'content-type': type }),
    'content-length': Buffer.byteLength(text),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
