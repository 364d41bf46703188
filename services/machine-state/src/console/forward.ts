/**
 * `/services/NAME/v1/…`: requests of the pages to the other services, with the caller's own token, so that their roles and
 * audit hold. Only routes of `@skolo/api` that need a role: others know their caller by its address, which is ours here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Api, auditApi, type RouteSpec } from '@skolo/api';
import {
  type AccessControl,
  type Caller,
  clientAddress,
  HttpProblem,
  type Logger,
  requestIdFrom,
} from '@skolo/common';
import { passOn } from '@skolo/common/console';
import type { Rack } from '@skolo/rack';
import { apiUrl, askedServices, serviceApis } from '../service-apis.ts';

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
  const spec =
    service && findRoute({ ...serviceApis[service], ...auditApi }, request.method ?? '', target);
  if (!service || !spec?.role) {
    throw new HttpProblem(
      404,
      'the console forwards no such request; see /openapi.json of the service',
    );
  }
  const requestId = requestIdFrom(request.headers['x-request-id']?.toString());
  const caller = await access.admit(request, spec.role, log);
  const url = `${apiUrl(rack.rack, service).replace(/\/+$/, '')}${target}`;
  const headers = { ...callerHeaders(request, caller), 'x-request-id': requestId };
  response.setHeader('x-request-id', requestId);
  await passOn(request, response, { name: service, url, rack: rack.rack.name, headers });
}

function findRoute(api: Api, method: string, target: string): RouteSpec | undefined {
  const [path = ''] = target.split('?', 1);
  return Object.values(api).find((spec) => {
    const pattern = new RegExp(`^${spec.path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return spec.method.toUpperCase() === method && pattern.test(path);
  });
}

/** `access` of rack.yaml lets the same networks read every service, so an anonymous caller gains nothing by our address. */
function callerHeaders(request: IncomingMessage, { by }: Caller) {
  if (by === 'network') return {};
  const { authorization } = request.headers;
  return { authorization, 'x-forwarded-for': clientAddress(request) };
}
