/** Every HTTP API of skolo: the stages of a request, in one list. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { noSuchPath } from '@skolo/api/calls';
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import newRouter from 'router';
import { clientAddress } from '../connections/client-address.ts';
import { httpRequestDuration } from '../health/metrics.ts';
import { routeAnswers } from './answer.ts';
import { Exchange, exchangeOf, isTarget, pathOf, statusOf } from './exchange.ts';
import type { AppOptions, Failed, Router, Stage } from './options.ts';
import { HttpProblem } from './response/problem.ts';
import { placeOf } from './response/to-problem.ts';
import type { BoundRoute } from './routes.ts';
import { running } from './stages/running.ts';

export interface App {
  listener: RequestListener;
  /** Adds routes, even after the start. */
  add(routes: readonly BoundRoute[]): void;
}

/**
 * A stage that throws ends the request, and no later one has an effect. `answer.ts` continues the list for each route.
 *
 * @param app without stages
 * @param own stages of this server, such as who may connect
 * @param instead stages that respond themselves, such as pages, or forward requests
 */
export function httpApp(
  app: Router,
  options: AppOptions,
  routes: readonly BoundRoute[],
  own: readonly Stage[] = [],
  instead: readonly Stage[] = [],
): App {
  // Express' own.
  const router: Router = newRouter({ caseSensitive: true });
  const answerOf = routeAnswers(options);
  app.use(begin(options)); //                   request ID, headers of all responses, metrics, log
  app.use(running(options)); //                 503
  for (const stage of own) app.use(stage); //   403
  app.use(thisRack(options)); //                421
  app.use(hasTarget); //                        400
  for (const stage of instead) app.use(stage);
  app.use(router); //                           answer.ts
  app.use(notFound); //                         404 405; OPTIONS
  app.use(failed); //                           problem+json

  function add(more: readonly BoundRoute[]): void {
    for (const route of more) {
      const at = router.route(route.label);
      at.all(matches(route));
      const answer = answerOf(route);
      // With `next`, an error would be compared with all other routes first.
      at[route.spec.method]((request) =>
        answer(request).catch((error: unknown) => exchangeOf(request).fail(error)),
      );
    }
  }
  add(routes);
  function listener(request: IncomingMessage, response: ServerResponse): void {
    // Express cannot parse others; the stage rejects them.
    if (!isTarget(request)) request.url = noTarget;
    app(request, response, () => response.destroy());
  }
  return { listener, add };
}

function begin({ log, metrics, rack, self, access, compresses }: AppOptions): Stage {
  const duration = httpRequestDuration(metrics);
  return (request, response, next) => {
    const place = placeOf(rack?.rack, self);
    const exchange = new Exchange(request, response, { log, compresses, place });
    if (place.rack !== undefined) response.setHeader(rackHeader, place.rack);
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
    next();
  };
}

function thisRack({ rack }: AppOptions): Stage {
  return (request, _response, next) => {
    const misdirected = anotherRack(rack?.rack?.name, request.headers[rackHeader]?.toString());
    if (misdirected !== undefined) throw new HttpProblem(421, misdirected);
    next();
  };
}

const noTarget = '*';

const hasTarget: Stage = ({ url }, _response, next) => {
  if (url !== noTarget) return next();
  throw new HttpProblem(400, 'the request target is not a path; start it with /');
};

/** Of several routes with this path, whatever the method: two paths may match one request. */
function matches({ label, spec }: BoundRoute): Stage {
  return (request, _response, next) => {
    const exchange = exchangeOf(request);
    if (exchange.methods.length === 0) exchange.route = label;
    exchange.methods.push(spec.method.toUpperCase());
    next();
  };
}

const notFound: Stage = (request, response) => {
  const { methods } = exchangeOf(request);
  const { method = '' } = request;
  const path = pathOf(request);
  if (methods.length === 0) {
    const hint = 'check the path; /openapi.json lists all paths';
    throw new HttpProblem(404, `${noSuchPath}${path}; ${hint}`);
  }
  const allow = allowed(methods);
  if (method !== 'OPTIONS') throw wrongMethod(path, method, allow);
  response.writeHead(204, { allow }).end();
};

/** The value of `Allow`: GET includes HEAD, and OPTIONS is always allowed. */
function allowed(methods: Iterable<string>): string {
  const all = new Set([...methods, 'OPTIONS']);
  if (all.has('GET')) all.add('HEAD');
  return [...all].sort().join(', ');
}

/** A 405 that names the allowed methods. */
export function wrongMethod(path: string, method: string, allow: string): HttpProblem {
  return new HttpProblem(405, `${path}: method ${method} is not allowed; use ${allow}`, {
    headers: { allow },
  });
}

/** Express knows it by its four parameters. */
const failed: Failed = (error, request, _response, _next) => exchangeOf(request).fail(error);
