import type { Api } from '@skolo/api';
import express, { type Express, type RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import type { AccessControl } from '../access/access-control.ts';
import type { AuditLog } from '../audit.ts';
import type { Logger } from '../log.ts';
import { notFound, problemForError } from './errors.ts';
import { measure } from './measure.ts';
import { withRequestId } from './request-id.ts';
import { otherMethods, type RouteHandlers, routes } from './routes.ts';

export interface AppOptions<A extends Api> {
  name: string;
  version: string;
  log: Logger;
  metrics: Registry;
  access: AccessControl;
  audit: AuditLog;
  /** What `/openapi.json` says. */
  api?: A | undefined;
  /** A handler for each route of the API. Absent: the app says what the API is, and something else answers it. */
  handlers?: RouteHandlers<NoInfer<A>>;
  /** What answers paths that a route's pattern would take: `/v1/things/events` beside `/v1/things/{id}`. */
  first?: RequestHandler[];
  /** Whatever else answers. Before them comes the request id, after them 404 and the problems. */
  more?: RequestHandler[];
  bodyLimitBytes?: number;
}

/**
 * An express app with the HTTP conventions of every service (design, section 3): request ids, problems, 405 with
 * `Allow`, limited bodies, metrics.
 *
 * @example createApp({ ...context, api: powerApi, handlers: { machines: () => … } })
 */
export function createApp<A extends Api>(options: AppOptions<A>): Express {
  const { name, version, log, metrics, api, handlers, first = [], more = [] } = options;
  const app = bareApp().use(withRequestId(log), measure(metrics, log), setPlainHeaders, ...first);
  if (api !== undefined) {
    app
      .route('/openapi.json')
      .get(async (_request, response) => {
        // Seldom asked for, and 6 MB of memory: loaded only then.
        const { openApiDocument } = await import('@skolo/api/openapi');
        response.json(openApiDocument({ title: name, version }, api));
      })
      .all(otherMethods(new Set(['GET'])));
    if (handlers !== undefined) app.use(routes(api, handlers, options));
  }
  return app.use(...more, notFound, problemForError(log));
}

/** Express with its settings as we want them; an app that is mounted in another one has settings of its own. */
export function bareApp(): Express {
  return express().disable('x-powered-by').disable('etag').enable('case sensitive routing');
}

/** In every answer. */
export const plainHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

const setPlainHeaders: RequestHandler = function setPlainHeaders(_request, response, next) {
  response.set(plainHeaders);
  next();
};
