import type { RequestListener } from 'node:http';
import type { Api } from '@skolo/api';
import { auditApi } from '@skolo/api/audit-log';
import { auditRoute } from '../audit/route.ts';
import { Core, type CoreOptions, openApiRoute } from './core.ts';
import { bindRoutes, type RouteHandlers } from './routes.ts';

interface AppOptions<A extends Api> {
  /** Content of `/openapi.json`. */
  api: A;
  handlers: RouteHandlers<NoInfer<A>>;
  /** Instead of that of the service. */
  access?: CoreOptions['access'];
  /** See {@link CoreOptions}. */
  compresses?: boolean;
}

/** A `ServiceContext` contains all of it. */
interface AppContext extends CoreOptions {
  name: string;
  version: string;
}

/**
 * Serves an API with the HTTP conventions of all services, and its audit log.
 *
 * @example createApp(context, { api: powerApi, handlers: { machines: () => … } })
 */
export function createApp<A extends Api>(
  context: AppContext,
  { api, handlers, access = context.access, compresses = false }: AppOptions<A>,
): RequestListener {
  const { name, version, audit, log, metrics, clock, rack, self, signal } = context;
  const routes = [
    ...openApiRoute({ title: name, version }, { ...api, ...auditApi }),
    ...bindRoutes(api, handlers),
    ...auditRoute(audit),
  ];
  return new Core(
    { log, metrics, access, audit, clock, rack, self, signal, compresses },
    routes,
  ).listener();
}
