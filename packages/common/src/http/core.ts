/**
 * Answers requests of every HTTP API: request id, sign-in, schemas, audit log, problems, 405 with `Allow`, metrics. Routes
 * are data. express.ts and node-http.ts adapt it to servers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { parse as parseQuery } from 'node:querystring';
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import type { Api, Role, RouteSpec } from '@skolo/api/route';
import { contentDigest } from '@skolo/api/signature';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import type { Caller } from '../access/access-control.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { audited } from '../audit/audited-call.ts';
import { clientAddress } from '../connections/client-address.ts';
import { httpRequestDuration } from '../health/metrics.ts';
import type { Logger } from '../process/log.ts';
import { createStreams } from './event-stream.ts';
import { Exchange, pathOf, statusOf } from './exchange.ts';
import { jsonErrorOffset, lineAndColumn } from './json-position.ts';
import { HttpProblem } from './problem.ts';
import { type AnyAnswer, type BoundRoute, bindRoutes } from './routes.ts';

/** Access control of a route. */
export interface Access {
  /** @throws HttpProblem 401, 403, or 503 if it cannot be decided. */
  admit(request: IncomingMessage, role: Role, log: Logger): Caller | Promise<Caller>;
  /** Admits a machine that asks for itself. @throws HttpProblem 401, 403 */
  admitMachine?(request: IncomingMessage): Promise<Caller>;
  /** Headers of each answer. */
  headers?(): Record<string, string>;
}

export interface CoreOptions {
  log: Logger;
  metrics: Registry;
  access: Access;
  audit: AuditLog;
  /** The rack that is served. Each answer has its name, and requests for another rack are rejected; undefined: not known yet. */
  rack?: { readonly rack: { readonly name: string } | undefined };
  /** The machine that the service runs on, for the audit log; default: the name of the host. */
  self?: string;
  /** Its abort ends streams. */
  signal?: AbortSignal;
  /** Larger answers and streams, for those who accept it: none may have a secret next to what others wrote. */
  compresses?: boolean;
}

/** Reads the body of the request as text; undefined without a body. */
type ReadBody = (mostBytes: number) => Promise<string | undefined>;

export interface Core {
  /** Adds routes, also after the start. */
  add(routes: readonly BoundRoute[]): void;
  begin(request: IncomingMessage, response: ServerResponse): Exchange;
  /** Never rejects. */
  answer(exchange: Exchange, readBody: ReadBody): Promise<void>;
}

const usualBodyBytes = 1024 * 1024;
/** Without sign-in: hundreds may send one at once. */
const anonymousBodyBytes = 16 * 1024;

export function createCore(options: CoreOptions, first: readonly BoundRoute[]): Core {
  const { log, metrics, access, audit, self = hostname(), signal, compresses, rack } = options;
  const routes = [...first];
  const duration = httpRequestDuration(metrics);
  const stream = createStreams(metrics, signal, compresses);

  function begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const exchange = new Exchange(request, response, { log, compresses });
    const own = rack?.rack?.name;
    if (own !== undefined) response.setHeader(rackHeader, own);
    for (const [name, value] of Object.entries(access.headers?.() ?? {})) {
      response.setHeader(name, value);
    }
    const { method = '' } = request;
    const path = pathOf(request);
    const startedAt = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const code = statusOf(response);
      duration.observe({ method, route: exchange.route, code }, seconds);
      if (!log.isLevelEnabled('debug')) return;
      const from = clientAddress(request);
      exchange.log.debug({ method, path, code, seconds, from }, 'request');
    });
    return exchange;
  }

  async function answer(exchange: Exchange, readBody: ReadBody): Promise<void> {
    const { request, response } = exchange;
    try {
      const misdirected = anotherRack(rack?.rack?.name, request.headers[rackHeader]?.toString());
      if (misdirected !== undefined) throw new HttpProblem(421, misdirected);
      const { path, query } = targetOf(request);
      const here = routes.filter(({ pattern }) => pattern.test(path));
      exchange.route = here[0]?.label ?? 'none';
      const found = findMethod(here, path, request);
      if (typeof found === 'string') {
        response.writeHead(204, { allow: found }).end();
        return;
      }
      exchange.route = found.label;
      await send(exchange, found.spec, await call(found, { exchange, path, query, readBody }));
    } catch (error) {
      exchange.fail(error);
    }
  }

  async function call(
    { name, spec, pattern, handler }: BoundRoute,
    { exchange, path, query, readBody }: Called,
  ): Promise<AnyAnswer> {
    const { request, requestId } = exchange;
    const caller = await admit(spec, exchange);
    const given = parse(spec, {
      params: decoded(pattern.exec(path)?.groups ?? {}),
      query,
      headers: request.headers,
      body: spec.body && (await readJson(request, spec, readBody, caller)),
    });
    if (caller) exchange.caller = caller.name;
    const from = clientAddress(request);
    return audited(
      {
        name,
        spec,
        given,
        caller: { who: exchange.caller, role: caller?.role, from },
        requestId,
        self,
      },
      {
        audit,
        log,
        make: async () =>
          handler({
            ...given,
            caller,
            from,
            requestId,
            // Few routes log or wait: each log is a child of pino, each signal a listener.
            get log() {
              return exchange.log;
            },
            get hungUp() {
              return exchange.hungUp;
            },
          }),
      },
    );
  }

  function admit({ role, machine }: RouteSpec, exchange: Exchange) {
    if (role !== undefined) return access.admit(exchange.request, role, exchange.log);
    if (!machine) return undefined;
    if (access.admitMachine) return access.admitMachine(exchange.request);
    throw new TypeError('machines cannot sign in here');
  }

  async function send(exchange: Exchange, spec: RouteSpec, answer: AnyAnswer): Promise<void> {
    const { status, headers = {}, body, type, follow } = answer;
    const { response } = exchange;
    if (!Object.hasOwn(spec.answers, status)) {
      throw new TypeError(`${spec.method} ${spec.path} does not answer ${status}`);
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const schema = spec.answers[status];
    if (schema !== undefined) await exchange.sendJson(status, schema.parse(body));
    else if (follow !== undefined) stream(response, exchange.caller, follow);
    else if (typeof body === 'string' || body instanceof Uint8Array) {
      exchange.send(status, type ?? spec.types?.[0] ?? 'application/octet-stream', body);
    } else response.writeHead(status).end();
  }

  return { add: (more) => void routes.push(...more), begin, answer };
}

interface Called {
  exchange: Exchange;
  path: string;
  query: object;
  readBody: ReadBody;
}

/** `/openapi.json` of an API. */
export function openApiRoute(info: { title: string; version: string }, api: Api): BoundRoute[] {
  const answers = { 200: z.looseObject({}) };
  const openapi = { method: 'get', path: '/openapi.json', summary: 'This API', answers } as const;
  return bindRoutes(
    { openapi },
    {
      openapi: async () => {
        // Loaded on demand: rarely used, and 6 MB of memory.
        const { openApiDocument } = await import('@skolo/api/openapi');
        return { status: 200, body: { ...openApiDocument(info, api) } };
      },
    },
  );
}

/** @throws HttpProblem 400: neither a path nor a URL, such as `*`. */
function targetOf({ url = '/' }: IncomingMessage) {
  const target = url.startsWith('/') ? url : URL.canParse(url) && new URL(url);
  if (!target) throw new HttpProblem(400, 'the request target is not a path; begin it with /');
  const text = typeof target === 'string' ? target : `${target.pathname}${target.search}`;
  const at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  return { path, query: { ...parseQuery(at < 0 ? '' : text.slice(at + 1)) } };
}

/** The route for the method; for OPTIONS the allowed methods. @throws HttpProblem 404, 405 */
function findMethod(
  here: readonly BoundRoute[],
  path: string,
  { method = '' }: IncomingMessage,
): BoundRoute | string {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = here.find(({ spec }) => spec.method.toUpperCase() === wanted);
  if (found !== undefined) return found;
  if (here.length === 0) {
    const hint = 'check the path; /openapi.json lists all paths';
    throw new HttpProblem(404, `no such path: ${path}; ${hint}`);
  }
  const allow = allowed(here.map(({ spec }) => spec.method.toUpperCase()));
  if (method === 'OPTIONS') return allow;
  throw wrongMethod(path, method, allow);
}

/** The value of `Allow`: GET includes HEAD, and OPTIONS is always allowed. */
function allowed(methods: Iterable<string>): string {
  const all = new Set([...methods, 'OPTIONS']);
  if (all.has('GET')) all.add('HEAD');
  return [...all].sort().join(', ');
}

export function wrongMethod(path: string, method: string, allow: string): HttpProblem {
  return new HttpProblem(405, `${path}: method ${method} is not allowed; use ${allow}`, {
    headers: { allow },
  });
}

function decoded(groups: Record<string, string>): Record<string, string> {
  const entries = Object.entries(groups);
  return Object.fromEntries(entries.map(([key, value]) => [key, decodeURIComponent(value)]));
}

interface Parsed {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: unknown;
}

const nothing = z.object({});
const schemas = new WeakMap<RouteSpec, z.ZodType>();

/** Of all inputs of a route. Kept, because to make it takes longer than to use it. */
function schemaOf(spec: RouteSpec): z.ZodType {
  const known = schemas.get(spec);
  if (known !== undefined) return known;
  const { params = nothing, query = nothing, headers = nothing, body = z.undefined() } = spec;
  const schema = z.object({ params, query, headers, body });
  schemas.set(spec, schema);
  return schema;
}

/** Reports all mistakes in params, query, headers and body at once. */
function parse(spec: RouteSpec, given: Record<keyof Parsed, unknown>): Parsed {
  const parsed = schemaOf(spec).safeParse(given);
  if (parsed.success) return parsed.data as Parsed;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem(400, detail, { members: { errors } });
}

const json = /^\s*(?:application\/json|[^\s/;]+\/[^\s/;]+\+json)\s*(?:;|$)/i;

/** Undefined without a body. @throws HttpProblem 400, 413, 415; 401: the caller has signed another body. */
async function readJson(
  { headers }: IncomingMessage,
  { role, mostBodyBytes = role === undefined ? anonymousBodyBytes : usualBodyBytes }: RouteSpec,
  readBody: ReadBody,
  caller: Caller | undefined,
): Promise<unknown> {
  const length = headers['content-length'] ?? '0';
  const isEmpty = length === '0' && headers['transfer-encoding'] === undefined;
  const type = headers['content-type'] ?? 'no content-type';
  if (!isEmpty && !json.test(type)) {
    const wanted = 'send JSON, with content-type: application/json';
    throw new HttpProblem(415, `the body is ${type}; ${wanted}`, {
      headers: { accept: 'application/json' },
    });
  }
  const text = (isEmpty ? undefined : await readBody(mostBodyBytes)) ?? '';
  if (caller?.digest !== undefined && caller.digest !== contentDigest(text)) {
    throw new HttpProblem(401, 'the body is not the one that was signed (Content-Digest)');
  }
  return text === '' ? undefined : parseBody(text);
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = lineAndColumn(text, jsonErrorOffset(text) ?? 0);
    throw new HttpProblem(400, `the body is not JSON: mistake at ${where}`, { cause });
  }
}
