/**
 * Handles a request for a route, in this order: overload, sign-in, limits, body, schemas, audit, response. The order is the security of
 * every API: each line that throws ends the request, and costs less than those after it.
 */
import type { ParsedInput } from '@skolo/api/audited-fields';
import { type RouteSpec, roleOf, type WorkLimit } from '@skolo/api/route';
import { expandNames } from '@skolo/rack/light';
import { z } from 'zod';
import type { Caller } from '../access/access-control.ts';
import { anonymous, CallerLimit } from '../access/caller-limits.ts';
import { audited } from '../audit/audited-call.ts';
import { clientAddress } from '../connections/client-address.ts';
import { systemClock } from '../process/clock.ts';
import { type Exchange, queryOf } from './exchange.ts';
import type { AppOptions, Stage } from './options.ts';
import { type BodyShare, bodiesInFlight } from './request/bodies-in-flight.ts';
import { readJson } from './request/body.ts';
import { createStreams } from './response/event-stream.ts';
import { busy, HttpProblem } from './response/problem.ts';
import type { AnyAnswer, BoundRoute } from './routes.ts';

/** Makes the function of a route. Those of one app share its limits and streams. */
export function routeAnswers(options: AppOptions) {
  const { audit, log, self } = options;
  const take = workLimits(options);
  const send = sender(options);
  return ({ name, spec, label, handler }: BoundRoute) => {
    const parse = inputOf(spec);
    async function answered(request: Parameters<Stage>[0], exchange: Exchange, share: BodyShare) {
      const { requestId, mostBodyBytes: mostBytes } = exchange;
      exchange.route = label;
      shed(options, spec); //                                             503
      const caller = await admit(options, spec, exchange); //             401 403 503
      if (caller) exchange.caller = caller.name;
      const spend = (cost: number) => take(spec, caller, cost);
      spend(1); //                                                        429, before a byte of the body
      const body = spec.body && (await readJson(request, spec, { caller, mostBytes, share })); // 413 503 415 400, 401: not the signed one
      const { params, headers } = request;
      const given = parse({ params, query: queryOf(request), headers, body }); //          400
      stayWithin(spec, caller, given); //                                  403: none of the token's machines
      const from = clientAddress(request);
      const who = { who: exchange.caller, role: caller?.role, from };
      const change = { name, spec, given, caller: who, requestId, self };
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
      const answer = await audited(change, { audit, log, make }); //      503; the handler between two lines
      await send(exchange, spec, answer);
    }
    return async (request: Parameters<Stage>[0], exchange: Exchange) => {
      const share = bodiesInFlight.share();
      await answered(request, exchange, share).finally(share.release);
    };
  };
}

/** While the event loop lags, changes and streams come before reading. Those who may only read can make changes, too: sign out. */
function shed({ isOverloaded }: AppOptions, { method, role, events }: RouteSpec): void {
  if (method === 'get' && role === 'view' && events === undefined && isOverloaded?.()) {
    throw busy('the service is overloaded');
  }
}

function admit({ access }: AppOptions, spec: RouteSpec, exchange: Exchange) {
  const role = roleOf(spec);
  if (role !== undefined) {
    return access.admit(exchange.request, role, () => exchange.log, spec.right?.name);
  }
  if (!spec.machine) return undefined;
  if (access.admitMachine) return access.admitMachine(exchange.request);
  throw new TypeError('machines cannot sign in to this service');
}

/** @throws HttpProblem 403: the caller was admitted because of a right, which does not include this target */
function stayWithin({ right }: RouteSpec, caller: Caller | undefined, given: ParsedInput): void {
  if (caller?.within === undefined || right?.on === undefined) return;
  const target: unknown = Reflect.get(Object(given.params), right.on);
  if (caller.within.flatMap(expandNames).some((name) => name === target)) return;
  const detail = `${caller.name} may do this only for ${caller.within.join(', ')}, not for ${target}; ask an admin of the rack for another token`;
  throw new HttpProblem(403, detail);
}

/** @throws HttpProblem 429 */
function workLimits({ metrics, clock = systemClock }: AppOptions) {
  const limits = new Map<WorkLimit, CallerLimit>();
  return ({ limit: kind }: RouteSpec, caller: Caller | undefined, cost: number): void => {
    if (kind === undefined) return;
    const limit = limits.get(kind) ?? new CallerLimit(kind, { metrics, clock });
    limits.set(kind, limit);
    limit.take(caller?.name ?? anonymous, cost);
  };
}

function sender({ metrics, signal, compresses }: AppOptions) {
  const stream = createStreams(metrics, signal, compresses);
  return async (exchange: Exchange, spec: RouteSpec, answer: AnyAnswer) => {
    const { status, headers = {}, body, type, follow } = answer;
    const { response } = exchange;
    if (!Object.hasOwn(spec.answers, status)) {
      throw new TypeError(`${spec.method} ${spec.path} does not list the status ${status}`);
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const schema = spec.answers[status];
    if (schema !== undefined) {
      await exchange.sendJson(status, schema.parse(body));
    } else if (follow !== undefined) stream(response, exchange.caller, follow);
    else if (typeof body === 'string' || body instanceof Uint8Array) {
      exchange.send(status, type ?? spec.types?.[0] ?? 'application/octet-stream', body);
    } else response.writeHead(status).end();
  };
}

const nothing = z.object({});

/**
 * The input of a route: params, query, headers and body, as its schemas have them. Made once for each route, because to make the schema
 * takes longer than to use it.
 */
function inputOf(spec: RouteSpec) {
  const { params = nothing, query = nothing, headers = nothing, body = z.undefined() } = spec;
  const schema = z.object({ params, query, headers, body });

  /** @throws HttpProblem 400, with all errors */
  return function parse(given: ParsedInput): ParsedInput {
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    const errors = parsed.error.issues.map(({ path, message }) => ({
      path: path.join('.'),
      message,
    }));
    const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new HttpProblem(400, detail, { members: { errors } });
  };
}
