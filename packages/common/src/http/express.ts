/** The core behind express, for services: it decompresses bodies. */

import type { RequestListener } from 'node:http';
import type { Api } from '@skolo/api';
import { auditApi } from '@skolo/api/audit';
import express, { type ErrorRequestHandler } from 'express';
import { auditRoute } from '../audit/route.ts';
import { type Core, type CoreOptions, createCore, openApiRoute } from './core.ts';
import type { Exchange } from './exchange.ts';
import { bindRoutes, type RouteHandlers } from './routes.ts';

declare global {
  namespace Express {
    interface Locals {
      exchange: Exchange;
    }
  }
}

interface AppOptions<A extends Api> extends CoreOptions {
  name: string;
  version: string;
  /** Content of `/openapi.json`. */
  api: A;
  handlers: RouteHandlers<NoInfer<A>>;
}

/**
 * An express app with the HTTP conventions of every service, and its audit log.
 *
 * @example createApp({ ...context, api: powerApi, handlers: { machines: () => … } })
 */
export function createApp<A extends Api>(options: AppOptions<A>): RequestListener {
  const { name, version, api, handlers } = options;
  const routes = [
    ...openApiRoute({ title: name, version }, { ...api, ...auditApi }),
    ...bindRoutes(api, handlers),
    ...auditRoute(options.audit),
  ];
  return expressApp(createCore(options, routes));
}

export function expressApp(core: Core): RequestListener {
  const fail: ErrorRequestHandler = (error, _request, response, _next) =>
    response.locals.exchange.fail(error);
  return express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('case sensitive routing')
    .use((request, response, next) => {
      response.locals.exchange = core.begin(request, response);
      next();
    })
    .use((request, response) =>
      core.answer(response.locals.exchange, (limit) => {
        return new Promise((resolve, reject) => {
          express.text({ type: () => true, limit })(request, response, (error?: unknown) => {
            if (error) reject(error);
            else resolve(request.body);
          });
        });
      }),
    )
    .use(fail);
}
