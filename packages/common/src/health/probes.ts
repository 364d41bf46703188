/** `/metrics`, `/healthz` and `/readyz` of a service, and when it is not ready (503). */
import { probesApi } from '@skolo/api/probes';
import type { Registry } from 'prom-client';
import { type BoundRoute, bindRoutes } from '../http/routes.ts';
import type { Degraded } from './degraded.ts';

/** `ready` is false only if the service must reject all requests. */
export interface ReadinessNow {
  ready: boolean;
  degraded: Degraded[];
}

/** `/metrics`, `/healthz` and `/readyz` of a service. */
export function probes(metrics: Registry, readiness: () => ReadinessNow): BoundRoute[] {
  return bindRoutes(probesApi, {
    metrics: async () => ({ status: 200, body: await metrics.metrics() }),
    healthz: () => ({ status: 200, body: { ok: true as const } }),
    readyz: () => {
      const { ready, degraded } = readiness();
      const entries = degraded.map((each) => ({ ...each, since: each.since.toISOString() }));
      return { status: ready ? 200 : 503, body: { ready, degraded: entries } };
    },
  });
}
