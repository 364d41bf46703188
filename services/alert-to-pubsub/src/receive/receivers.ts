/**
 * The endpoints that receive alerts from Alertmanager and Prometheus. Alertmanager repeats a request that got 4xx as long as the alert
 * lives, and Prometheus repeats nothing. So valid alerts are never rejected because of invalid ones.
 */
import { Endpoint } from '@skolo/alerts';
import {
  type BodiesInFlight,
  bodiesInFlight,
  browserProblem,
  type Clock,
  HttpProblem,
  httpRequestDuration,
  newExpress,
  plainHeaders,
  readBytes,
  requestIdFrom,
  statusOf,
  toProblem,
} from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { NextFunction, Request, Response } from 'express';
import type { Registry } from 'prom-client';
import type { EmitAlertEvent } from '../events.ts';
import type { ReceiverAuth } from './auth.ts';
import type { AcceptAlerts, Batch } from './batch.ts';
import { parseJson } from './json.ts';
import { bytesOf, pathOf, readMessage } from './messages.ts';
import { Rejection, reasonOf } from './rejection.ts';
import { accepted, rejected, type To } from './responses.ts';

interface ReceiversDeps {
  intake: AcceptAlerts;
  settings: () => Pick<AlertToPubsubSettings, 'maxBodyBytes'>;
  auth: Pick<ReceiverAuth, 'check'>;
  metrics: Registry;
  clock: Clock;
  emit: EmitAlertEvent;
  /** Default: those of the process. */
  bodies?: Pick<BodiesInFlight, 'share'> | undefined;
}

const hint = 'send fewer alerts per request (max_alerts in Alertmanager)';

type Exchange = Response<unknown, { to: To; requestId: string }>;

/** The app of the endpoints. Its last handler gets all other requests. */
export function createReceivers(deps: ReceiversDeps): ReturnType<typeof newExpress> {
  const app = newExpress().enable('case sensitive routing');
  app.use(onlyPaths); //                          others are no endpoints
  for (const endpoint of Endpoint.options) app.post(pathOf[endpoint], alerts(endpoint, deps));
  app.all(Object.values(pathOf), wrongMethod); // 405: whoever asks
  app.use(failed(deps)); //                       last: each endpoint has its own form of a problem
  return app;
}

/** Express would find an endpoint in `http://host/webhook` and `/webhook#a`, too. */
function onlyPaths({ url }: Request, _response: Response, next: NextFunction): void {
  next(/^\/[^#]*$/.test(url) ? undefined : 'router');
}

/** Receives alerts. The order is its security: each line that throws costs less than those after it. */
function alerts(endpoint: Endpoint, deps: ReceiversDeps) {
  const { intake, clock, settings, auth, bodies = bodiesInFlight } = deps;
  const duration = httpRequestDuration(deps.metrics);
  const labels = { method: 'POST', route: pathOf[endpoint] };
  return async (request: Request, response: Exchange): Promise<void> => {
    const began = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - began) / 1000;
      duration.observe({ ...labels, code: statusOf(response) }, seconds);
    });
    const requestId = requestIdFrom(request.get('x-request-id'));
    const to = { response, endpoint, headers: { ...plainHeaders, 'x-request-id': requestId } };
    Object.assign(response.locals, { to, requestId });
    const browser = browserProblem(request);
    if (browser !== undefined) throw new Rejection('browser', browser); //                          403
    await auth.check(request.get('authorization')); //                                              401 503
    const share = bodies.share(hint);
    try {
      const body = await readBytes(request, { mostBytes: settings().maxBodyBytes, share }); //      413 415 503
      function read(): Batch {
        const { value, memory } = parseJson(body, share); //                                        400
        const batch = readMessage(value, endpoint, clock.now());
        share.hold(memory + bytesOf(batch));
        return batch;
      }
      accepted(to, await intake.accept(read, body.length)); //                                      503
    } finally {
      share.release();
    }
  };
}

function wrongMethod(_request: Request, response: Response): void {
  response.writeHead(405, { ...plainHeaders, allow: 'POST', 'content-length': 0 }).end();
}

/** Express knows it by its four parameters. */
function failed({ emit }: ReceiversDeps) {
  return (error: unknown, request: Request, response: Exchange, _next: NextFunction): void => {
    const { to, requestId } = response.locals;
    const { endpoint } = to;
    if (error instanceof HttpProblem) {
      const { message: why, cause } = error;
      const reason = request.complete || !request.destroyed ? reasonOf(error) : 'gone';
      emit({ type: 'rejected', endpoint, reason, why, cause });
      if (reason === 'gone') return void response.destroy();
    } else emit({ type: 'request-failed', endpoint, requestId, error });
    rejected(to, toProblem(error));
  };
}
