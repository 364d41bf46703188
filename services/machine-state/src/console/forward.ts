/**
 * `/services/NAME/v1/…`: requests of the pages to the other services, with the caller's own token, so that their roles and
 * audit hold. Only routes of `@skolo/api` that need a role: others know their caller by its address, which is ours here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Api, type RouteSpec, whyUnreachable } from '@skolo/api';
import {
  type AccessControl,
  type Caller,
  clientAddress,
  HttpProblem,
  type Logger,
  requestIdFrom,
} from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { apiUrl, askedServices, serviceApis } from '../service-apis.ts';

/** Of the request, besides `authorization`. */
const passedOn = ['accept', 'content-type', 'idempotency-key', 'last-event-id'];
/** Of the answer. Others are about the connection to us, or sign in to another service. */
const passedBack = ['content-type', 'retry-after', 'allow', 'x-skolo-version', 'x-skolo-sha1'];
const answersWithinMs = 30_000;

interface ForwardDeps {
  rack: { readonly rack: Rack };
  access: Pick<AccessControl, 'admit'>;
  log: Logger;
}

/** @throws HttpProblem No such route, the caller may not, or the service does not answer. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { rack, access, log }: ForwardDeps,
): Promise<void> {
  const [, name = '', target = ''] =
    /^\/services\/([^/]+)(\/v1\/.*)$/.exec(request.url ?? '') ?? [];
  const service = askedServices.find((each) => each === name);
  const spec = service && findRoute(serviceApis[service], request.method ?? '', target);
  if (!service || !spec?.role) {
    throw new HttpProblem(
      404,
      'the console forwards no such request; see /openapi.json of the service',
    );
  }
  const requestId = requestIdFrom(request.headers['x-request-id']?.toString());
  const caller = await access.admit(request, spec.role, log);
  const hungUp = new AbortController();
  response.once('close', () => hungUp.abort());
  const late = setTimeout(() => hungUp.abort(new Error('no answer in time')), answersWithinMs);
  const url = `${apiUrl(rack.rack, service).replace(/\/+$/, '')}${target}`;
  const answer = await fetch(url, {
    method: request.method ?? 'GET',
    headers: headersFor(request, caller, requestId),
    ...(spec.body && { body: Readable.toWeb(request), duplex: 'half' }),
    redirect: 'manual',
    signal: hungUp.signal,
  }).catch((cause: unknown) => {
    throw new HttpProblem(503, `${name} does not answer: ${whyUnreachable(cause)}`, { cause });
  });
  clearTimeout(late);
  for (const header of passedBack) {
    const value = answer.headers.get(header);
    if (value !== null) response.setHeader(header, value);
  }
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-request-id', requestId);
  response.writeHead(answer.status);
  response.flushHeaders();
  if (answer.body === null) response.end();
  // A stream that breaks ends the answer, and the page connects again.
  else await pipeline(Readable.fromWeb(answer.body), response).catch(() => response.destroy());
}

function findRoute(api: Api, method: string, target: string): RouteSpec | undefined {
  const [path = ''] = target.split('?', 1);
  // A URL's parser would resolve these.
  if (/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path)) return undefined;
  return Object.values(api).find((spec) => {
    const pattern = new RegExp(`^${spec.path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return spec.method.toUpperCase() === method && pattern.test(path);
  });
}

function headersFor(request: IncomingMessage, caller: Caller, requestId: string) {
  const { authorization } = request.headers;
  const passed = passedOn.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return {
    ...Object.fromEntries(passed),
    'x-request-id': requestId,
    // `access` of rack.yaml lets the same networks read every service, so an anonymous caller gains nothing by our address.
    ...(caller.by !== 'network' && { authorization, 'x-forwarded-for': clientAddress(request) }),
  };
}
