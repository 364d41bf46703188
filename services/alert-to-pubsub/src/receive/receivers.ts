/**
 * The endpoints that receive alerts from Alertmanager and Prometheus. Alertmanager repeats a request that got 4xx as long as the alert
 * lives, and Prometheus repeats nothing. So valid alerts are never rejected because of invalid ones.
 *
 * Not an app of Express, whose part of a request took longer than all the rest, including the disk.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Endpoint } from '@skolo/alerts';
import {
  type BodiesInFlight,
  bodiesInFlight,
  browserProblem,
  type Clock,
  HttpProblem,
  httpRequestDuration,
  plainHeaders,
  readBytes,
  requestIdFrom,
  statusOf,
  toProblem,
} from '@skolo/common';
import type { AlertToPubsubSettings } from '@skolo/rack';
import type { Registry } from 'prom-client';
import type { EmitAlertEvent } from '../events.ts';
import type { ReceiverAuth } from './auth.ts';
import type { AcceptAlerts, Batch, Received } from './batch.ts';
import { parseJson } from './json.ts';
import { bytesOf, pathOf, readMessage } from './messages.ts';
import { Rejection, reasonOf } from './rejection.ts';
import { accepted, rejected } from './responses.ts';

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

const endpoints = new Map<string, Endpoint>(
  Object.entries(pathOf).map(([name, path]) => [path, Endpoint.parse(name)]),
);

/** Answers a request to an endpoint for alerts. False: it is another request. */
type ReceiveAlerts = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Its result comes first: `(request, response) => receive(request, response) || app(request, response)`. */
export function createReceivers(deps: ReceiversDeps): ReceiveAlerts {
  const { intake, clock, emit, settings, auth, bodies = bodiesInFlight } = deps;
  const duration = httpRequestDuration(deps.metrics);

  async function receive(endpoint: Endpoint, request: IncomingMessage): Promise<Received> {
    const browser = browserProblem(request);
    if (browser !== undefined) throw new Rejection('browser', browser);
    await auth.check(request.headers.authorization);
    const share = bodies.share(hint);
    try {
      const body = await readBytes(request, { mostBytes: settings().maxBodyBytes, share });
      function read(): Batch {
        const { value, memory } = parseJson(body, share);
        const batch = readMessage(value, endpoint, clock.now());
        share.hold(memory + bytesOf(batch));
        return batch;
      }
      return await intake.accept(read, body.length);
    } finally {
      share.release();
    }
  }

  /** Never throws. */
  async function answer(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse) {
    const requestId = requestIdFrom(request.headers['x-request-id']?.toString());
    const to = { response, endpoint, headers: { ...plainHeaders, 'x-request-id': requestId } };
    try {
      accepted(to, await receive(endpoint, request));
    } catch (error) {
      if (error instanceof HttpProblem) {
        const { message: why, cause } = error;
        const reason = request.complete || !request.destroyed ? reasonOf(error) : 'gone';
        emit({ type: 'rejected', endpoint, reason, why, cause });
        if (reason === 'gone') return void response.destroy();
      } else emit({ type: 'request-failed', endpoint, requestId, error });
      rejected(to, toProblem(error));
    }
  }

  return function receiveAlerts(request, response) {
    const { url = '', method = '' } = request;
    // Usually the URL already is the path.
    const route = endpoints.has(url) ? url : (url.split('?', 1)[0]?.replace(/(?<=.)\/$/, '') ?? '');
    const endpoint = endpoints.get(route);
    if (endpoint === undefined) return false;
    if (method !== 'POST') {
      response.writeHead(405, { ...plainHeaders, allow: 'POST', 'content-length': 0 }).end();
      return true;
    }
    const began = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - began) / 1000;
      duration.observe({ method: 'POST', route, code: statusOf(response) }, seconds);
    });
    void answer(endpoint, request, response);
    return true;
  };
}
