import type { ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Registry } from 'prom-client';
import { clientAddress } from '../client-address.ts';
import type { Logger } from '../log.ts';
import { httpRequestDuration } from '../metrics.ts';

/** As nginx calls it: the caller hung up before the answer was complete. */
const hungUp = 499;

/** Of an answer that is over. */
export function statusOf(response: ServerResponse): number {
  return response.writableFinished ? response.statusCode : hungUp;
}

/** Counts and times each request; logs it at level debug, without its query. */
export function measure(metrics: Registry, log: Pick<Logger, 'isLevelEnabled'>): RequestHandler {
  const duration = httpRequestDuration(metrics);
  return function measured(request, response, next) {
    const { method, path } = request;
    const startedAt = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const code = statusOf(response);
      // The pattern, not the path: a label with few values.
      const route = typeof request.route?.path === 'string' ? request.route.path : 'none';
      duration.observe({ method, route, code }, seconds);
      if (!log.isLevelEnabled('debug')) return;
      response.locals.log.debug(
        { method, path, code, seconds, from: clientAddress(request) },
        'request',
      );
    });
    next();
  };
}
