/** The first stage of a request: its ID, and what all other stages and the log require. */
import { rackHeader } from '@skolo/api/rack-header';
import { clientAddress } from '../../connections/client-address.ts';
import { httpRequestDuration } from '../../health/metrics.ts';
import { Exchange, pathOf, statusOf } from '../exchange.ts';
import type { AppOptions, Stage } from '../options.ts';

/** Request ID, headers of all responses, metrics, log. */
export function openExchange(options: AppOptions): Stage {
  const { log, metrics, rack, access } = options;
  const duration = httpRequestDuration(metrics);
  return (request, response, next) => {
    const exchange = new Exchange(request, response, options);
    response.locals = { exchange };
    const served = rack?.rack?.name;
    if (served !== undefined) response.setHeader(rackHeader, served);
    for (const [name, value] of Object.entries(access.headers?.() ?? {})) {
      response.setHeader(name, value);
    }
    const { method = '' } = request;
    const path = pathOf(request);
    const startedAt = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const code = statusOf(response);
      duration.observe({ method, route: exchange.route, code }, seconds);
      if (!log.isLevelEnabled('debug')) return;
      const from = clientAddress(request);
      exchange.log.debug({ method, path, code, seconds, from }, 'request');
    });
    next();
  };
}
