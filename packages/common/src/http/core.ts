/**
 * Handles requests of every HTTP API: request ID, sign-in, schemas, audit log, problems, 405 with `Allow`, metrics. Routes
 * are data.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import type { Api, Role, RouteSpec, WorkLimit } from '@skolo/api/route';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import type { Caller } from '../access/access-control.ts';
import { anonymous, CallerLimit } from '../access/caller-limits.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { audited } from '../audit/audited-call.ts';
import { clientAddress } from '../connections/client-address.ts';
import { httpRequestDuration } from '../health/metrics.ts';
import { type Clock, systemClock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { readJson } from './body.ts';
import { createStreams } from './event-stream.ts';
import { Exchange, pathOf, statusOf } from './exchange.ts';
import { parseInput } from './input.ts';
import { HttpProblem } from './problem.ts';
import { type AnyAnswer, type BoundRoute, bindRoutes } from './routes.ts';
import { findMethod, paramsOf, targetOf } from './routing.ts';
import { placeOf, type ServedRack } from './to-problem.ts';

/** Access control of a route. */
export interface Access {
  /** @throws HttpProblem 401, 403, or 503 if it cannot be decided. */
  admit(request: IncomingMessage, role: Role, log: Logger): Caller | Promise<Caller>;
  /** Admits a machine that asks for itself. @throws HttpProblem 401, 403 */
  admitMachine?(request: IncomingMessage): Promise<Caller>;
  /** Headers of each response. */
  headers?(): Record<string, string>;
}

export interface CoreOptions {
  log: Logger;
  metrics: Registry;
  access: Access;
  audit: AuditLog;
  /** For limits of callers; default: the computer's. */
  clock?: Pick<Clock, 'uptime'> | undefined;
  /** The served rack. Each response contains its name, and requests for other racks are rejected; undefined: not known yet. */
  rack?: { readonly rack: ServedRack | undefined } | undefined;
  /** The machine that the service runs on, for the audit log; default: the name of the host. */
  self?: string | undefined;
  /** Aborting it ends streams. */
  signal?: AbortSignal | undefined;
  /** Compresses larger responses and streams for clients that accept it. They must not contain secrets next to others' texts. */
  compresses?: boolean;
}

export class Core {
  private readonly options: CoreOptions;
  private readonly routes: BoundRoute[];
  private readonly duration: ReturnType<typeof httpRequestDuration>;
  private readonly stream: ReturnType<typeof createStreams>;
  private readonly limits = new Map<WorkLimit, CallerLimit>();

  constructor(options: CoreOptions, routes: readonly BoundRoute[]) {
    const { metrics, signal, compresses } = options;
    this.options = options;
    this.routes = [...routes];
    this.duration = httpRequestDuration(metrics);
    this.stream = createStreams(metrics, signal, compresses);
  }

  /** Adds routes, even after the start. */
  add(routes: readonly BoundRoute[]): void {
    this.routes.push(...routes);
  }

  /** For a server. */
  listener(): RequestListener {
    return (request, response) => void this.answer(this.begin(request, response));
  }

  /** Sets the headers of each response, and measures the request. */
  begin(request: IncomingMessage, response: ServerResponse): Exchange {
    const { log, rack, access, compresses, self } = this.options;
    const place = placeOf(rack?.rack, self);
    const exchange = new Exchange(request, response, { log, compresses, place });
    const own = place.rack;
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
      this.duration.observe({ method, route: exchange.route, code }, seconds);
      if (!log.isLevelEnabled('debug')) return;
      const from = clientAddress(request);
      exchange.log.debug({ method, path, code, seconds, from }, 'request');
    });
    return exchange;
  }

  /** Never rejects. @param mostBytes of the body, where a route accepts more */
  async answer(exchange: Exchange, mostBytes = Number.POSITIVE_INFINITY): Promise<void> {
    const { request, response } = exchange;
    try {
      const wanted = request.headers[rackHeader]?.toString();
      const misdirected = anotherRack(this.options.rack?.rack?.name, wanted);
      if (misdirected !== undefined) throw new HttpProblem(421, misdirected);
      const { path, query } = targetOf(request);
      const here = this.routes.filter(({ pattern }) => pattern.test(path));
      exchange.route = here[0]?.label ?? 'none';
      const found = findMethod(here, path, request);
      if (typeof found === 'string') {
        response.writeHead(204, { allow: found }).end();
        return;
      }
      exchange.route = found.label;
      const answer = await this.call(found, { exchange, path, query, mostBytes });
      await this.send(exchange, found.spec, answer);
    } catch (error) {
      exchange.fail(error);
    }
  }

  private async call(
    route: BoundRoute,
    { exchange, path, query, mostBytes }: Called,
  ): Promise<AnyAnswer> {
    const { name, spec, handler } = route;
    const { audit, log, self = hostname() } = this.options;
    const { request, requestId } = exchange;
    const caller = await this.admit(spec, exchange);
    const spend = (cost: number) => this.take(spec, caller, cost);
    spend(1);
    const given = parseInput(spec, {
      params: paramsOf(route, path),
      query,
      headers: request.headers,
      body: spec.body && (await readJson(request, spec, { caller, mostBytes })),
    });
    if (caller) exchange.caller = caller.name;
    const from = clientAddress(request);
    const who = { who: exchange.caller, role: caller?.role, from };
    const make = async () =>
      handler({
        ...given,
        caller,
        from,
        requestId,
        spend,
        // Created lazily, because few routes log or wait: each log is a pino child, each signal a listener.
        get log() {
          return exchange.log;
        },
        get hungUp() {
          return exchange.hungUp;
        },
      });
    return audited({ name, spec, given, caller: who, requestId, self }, { audit, log, make });
  }

  private admit({ role, machine }: RouteSpec, exchange: Exchange) {
    const { access } = this.options;
    if (role !== undefined) return access.admit(exchange.request, role, exchange.log);
    if (!machine) return undefined;
    if (access.admitMachine) return access.admitMachine(exchange.request);
    throw new TypeError('machines cannot sign in to this service');
  }

  /** @throws HttpProblem 429 */
  private take({ limit: kind }: RouteSpec, caller: Caller | undefined, cost: number): void {
    if (kind === undefined) return;
    const { metrics, clock = systemClock } = this.options;
    const limit = this.limits.get(kind) ?? new CallerLimit(kind, { metrics, clock });
    this.limits.set(kind, limit);
    limit.take(caller?.name ?? anonymous, cost);
  }

  private async send(exchange: Exchange, spec: RouteSpec, answer: AnyAnswer): Promise<void> {
    const { status, headers = {}, body, type, follow } = answer;
    const { response } = exchange;
    if (!Object.hasOwn(spec.answers, status)) {
      throw new TypeError(`${spec.method} ${spec.path} does not list the status ${status}`);
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const schema = spec.answers[status];
    if (schema !== undefined) await exchange.sendJson(status, schema.parse(body));
    else if (follow !== undefined) this.stream(response, exchange.caller, follow);
    else if (typeof body === 'string' || body instanceof Uint8Array) {
      exchange.send(status, type ?? spec.types?.[0] ?? 'application/octet-stream', body);
    } else response.writeHead(status).end();
  }
}

interface Called {
  exchange: Exchange;
  path: string;
  query: object;
  mostBytes: number;
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
