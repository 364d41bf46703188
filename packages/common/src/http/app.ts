import type { RequestListener } from 'node:http';
import type { Api } from '@skolo/api';
import { auditApi } from '@skolo/api/audit-log';
import { auditRoute } from '../audit/route.ts';
import { Core, type CoreOptions, openApiRoute } from './core.ts';
import { bindRoutes, type RouteHandlers } from './routes.ts';

interface AppOptions<A extends Api> extends CoreOptions {
  name: string;
  version: string;
  /** Content of `/openapi.json`. */
  api: A;
  handlers: RouteHandlers<NoInfer<A>>;
}

/**
 * Answers an API with the HTTP conventions of every service, and its audit log.
 *
 * @example createApp({ ...context, api: powerApi, handlers: { machines: () => … } })
 */
export function createApp<A extends Api>(options: AppOptions<A>): RequestListener {
  const { name, version, api, handlers, audit } = options;
  const routes = [
    ...openApiRoute({ title: name, version }, { ...api, ...auditApi }),
    ...bindRoutes(api, handlers),
    ...auditRoute(audit),
  ];
  return new Core(options, routes).listener();
}
