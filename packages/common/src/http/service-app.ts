/** The API of a service, with `/openapi.json` and its audit log, as an app of Express. */
import type { RequestListener } from 'node:http';
import type { Api } from '@skolo/api';
import { auditApi } from '@skolo/api/audit-log';
import express from 'express';
import type { AuditLog } from '../audit/audit-log.ts';
import { auditRoute } from '../audit/route.ts';
import { type App, httpApp } from './app.ts';
import { openApiRoute } from './open-api.ts';
import type { AppOptions, Stage } from './options.ts';
import { type BoundRoute, bindRoutes, type RouteHandlers } from './routes.ts';

/** An app of Express with our own conventions instead of its defaults. */
export function expressApp(
  options: AppOptions,
  routes: readonly BoundRoute[],
  own?: readonly Stage[],
  instead?: readonly Stage[],
): App {
  const app = express().disable('x-powered-by').disable('etag').set('query parser', false);
  return httpApp(app, options, routes, own, instead);
}

interface ApiOptions<A extends Api> {
  /** Content of `/openapi.json`. */
  api: A;
  handlers: RouteHandlers<NoInfer<A>>;
  /** Instead of that of the service. */
  access?: AppOptions['access'];
  /** See {@link AppOptions}. */
  compresses?: boolean;
  /** Before the routes. */
  stages?: readonly Stage[];
  /** They respond themselves: after those that reject. */
  instead?: readonly Stage[];
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
  context: AppContext,
  { api, handlers, access = context.access, compresses = false, stages, instead }: ApiOptions<A>,
): RequestListener {
  const { name: title, version, audit, log, metrics, clock, rack, self, signal } = context;
  const { isOverloaded } = context;
  const options = {
    log,
    metrics,
    access,
    audit,
    clock,
    rack,
    self,
    signal,
    isOverloaded,
    compresses,
  };
  const routes = [
    ...openApiRoute({ title, version }, { ...api, ...auditApi }),
    ...bindRoutes(api, handlers),
    ...auditRoute(audit),
  ];
  return expressApp(options, routes, stages, instead).listener;
}
