/** The API of a service, with `/openapi.json` and its audit log, as an app of Express. */
import type { RequestListener } from 'node:http';
import type { Api } from '@skolo/api';
import { auditApi } from '@skolo/api/audit-log';
import express from 'express';
import type { AuditLog } from '../audit/audit-log.ts';
import { auditRoute } from '../audit/route.ts';
import { type App, httpApp, type OwnStages } from './app.ts';
import { openApiRoute } from './open-api.ts';
import type { AppOptions } from './options.ts';
import { type BoundRoute, bindRoutes, type RouteHandlers } from './routes.ts';

/** An app of Express with our own conventions instead of its defaults. */
export function expressApp(
  options: AppOptions,
  routes: readonly BoundRoute[],
  own?: OwnStages,
): App {
  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  return httpApp(options, routes, own, app);
}

interface ApiOptions<A extends Api> extends OwnStages, Pick<AppOptions, 'compresses'> {
  /** Content of `/openapi.json`. */
  api: A;
  handlers: RouteHandlers<NoInfer<A>>;
  /** Instead of that of the service. */
  access?: AppOptions['access'];
}

/** A `ServiceContext` contains all of it. */
interface AppContext extends AppOptions {
  audit: AuditLog;
  name: string;
  version: string;
}

/**
 * Serves an API with the HTTP conventions of all services, and its audit log.
 *
 * @example createApp(context, { api: powerApi, handlers: { machines: () => … } })
 */
export function createApp<A extends Api>(
  { name: title, version, ...options }: AppContext,
  { api, handlers, access = options.access, compresses = false, ...own }: ApiOptions<A>,
): RequestListener {
  const routes = [
    ...openApiRoute({ title, version }, { ...api, ...auditApi }),
    ...bindRoutes(api, handlers),
    ...auditRoute(options.audit),
  ];
  return expressApp({ ...options, access, compresses }, routes, own).listener;
}
