/** The API of a service, with `/openapi.json` and its audit log, as an app of Express. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Api } from '@skolo/api';
import { auditApi } from '@skolo/api/audit-log';
import express, { type Express } from 'express';
import type { AuditLog } from '../audit/audit-log.ts';
import { auditRoute } from '../audit/route.ts';
import { type App, httpApp, type OwnStages } from './app.ts';
import { openApiRoute } from './open-api.ts';
import type { AppOptions } from './options.ts';
import { type BoundRoute, bindRoutes, type RouteHandlers } from './routes.ts';

/** `last` is called for requests in whose target Express finds no path. */
type Listener = (request: IncomingMessage, response: ServerResponse, last: () => void) => void;

/** An app of Express without stages, and without its defaults for headers and queries. */
export function newExpress(): Express & Listener {
  return express().disable('x-powered-by').disable('etag').set('query parser', false);
}

/** An app of Express with our own conventions. */
export function expressApp(
  options: AppOptions,
  routes: readonly BoundRoute[],
  own?: OwnStages,
): App {
  return httpApp(options, routes, own, newExpress());
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
