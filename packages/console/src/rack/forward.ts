/**
 * `/services/NAME/v1/…`: the pages' requests to other services, with the caller's own token, so that their roles and audit apply. Only
 * routes of `@skolo/api` that require a role: others identify callers by their address, which would be ours.
 */
import type { IncomingMessage } from 'node:http';
import { type Api, auditApi, type RouteSpec, roleOf } from '@skolo/api';
import {
  type AccessControl,
  type Caller,
  clientAddress,
  HttpProblem,
  type ServiceContext,
} from '@skolo/common';
import type { Stage } from '@skolo/common/light';
import { passOn } from '../serve/pass-on.ts';

/** A service that the pages may use; undefined if there is none with that name. */
export type FindService = (name: string) => { api: Api; url: string } | undefined;

interface ForwardDeps extends Pick<ServiceContext, 'rack'> {
  findService: FindService;
  access: Pick<AccessControl, 'admit'>;
}

/** Rejects requests without such a route, permission or response of the service. */
export function toOtherServices({ rack, findService, access }: ForwardDeps): Stage {
  return async (request, response, next) => {
    const { url: target = '', method = '' } = request;
    if (!target.startsWith('/services/')) return next();
    const { exchange } = response.locals;
    exchange.route = '/services/:name';
    const [, name = '', rest = ''] = /^\/services\/([^/]+)(\/v1\/.*)$/.exec(target) ?? [];
    const service = findService(name);
    const spec = service && findRoute({ ...service.api, ...auditApi }, method, rest);
    const role = spec && roleOf(spec);
    if (!service || role === undefined) {
      throw new HttpProblem(
        404,
        'the console does not forward this request; see /openapi.json of the service',
      );
    }
    const caller = await access.admit(request, role, () => exchange.log);
    const url = `${service.url.replace(/\/+$/, '')}${rest}`;
    const headers = { ...callerHeaders(request, caller), 'x-request-id': exchange.requestId };
    await passOn(request, response, { name, url, rack: rack.rack.name, headers });
  };
}

function findRoute(api: Api, method: string, target: string): RouteSpec | undefined {
  const [path = ''] = target.split('?', 1);
  return Object.values(api).find((spec) => {
    const pattern = new RegExp(`^${spec.path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return spec.method.toUpperCase() === method && pattern.test(path);
  });
}

/** `access` in rack.yaml lets the same networks read every service, so an anonymous caller gains nothing from our address. */
function callerHeaders(request: IncomingMessage, { by }: Caller) {
  if (by === 'network') return {};
  const { authorization } = request.headers;
  return { authorization, 'x-forwarded-for': clientAddress(request) };
}
