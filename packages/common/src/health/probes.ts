/** `/metrics`, `/healthz` and `/readyz` of a service, and when it is not ready (503). */
import { probesApi } from '@skolo/api/probes';
import type { Registry } from 'prom-client';
import { type BoundRoute, bindRoutes } from '../http/routes.ts';
import type { Degraded } from './degraded.ts';

/** `ready` is false only if the service must reject all requests. */
export interface ReadinessNow {
  ready: boolean;
  degraded: Degraded[];
  /** Parts that do not work yet, such as after a restart of another program. They count as healthy. */
  passing?: Degraded[] | undefined;
}

/** `/metrics`, `/healthz` and `/readyz` of a service. */
export function probes(metrics: Registry, readiness: () => ReadinessNow): BoundRoute[] {
  return bindRoutes(probesApi, {
    metrics: async () => ({ status: 200, body: await metrics.metrics() }),
    healthz: () => ({ status: 200, body: { ok: true as const } }),
    readyz: () => {
      const { ready, degraded, passing } = readiness();
      const body = { ready, degraded: degraded.map(shown), passing: passing?.map(shown) };
      return { status: ready ? 200 : 503, body };
    },
  });
}

function shown(part: Degraded) {
  return { ...part, since: part.since.toISOString() };
}
