/** The pages that every service has: `/metrics`, `/healthz`, `/readyz`, `/openapi.json`. */
import type { Api } from '@skolo/api/route';
import type { Degraded } from '@skolo/common/light';
import type { Registry } from 'prom-client';
import type { Page } from './http/api-listener.ts';

export interface Readiness {
  ready: boolean;
  degraded: Degraded[];
}

export function metricsPages(
  metrics: Registry,
  readiness: () => Readiness,
): Readonly<Record<string, Page>> {
  return {
    '/metrics': async () => ({
      status: 200,
      type: metrics.contentType,
      text: await metrics.metrics(),
    }),
    '/healthz': async () => json(200, { ok: true }),
    '/readyz': async () => {
      const { ready, degraded } = readiness();
      const shown = degraded.map((each) => ({ ...each, since: each.since.toISOString() }));
      return json(ready ? 200 : 503, { ready, degraded: shown });
    },
  };
}

/** What makes it is loaded when somebody asks: nobody does on a machine at work. */
export function openApiPage(api: Api, version: string): Readonly<Record<string, Page>> {
  return {
    '/openapi.json': async () => {
      const { openApiDocument } = await import('@skolo/api/openapi');
      return json(200, openApiDocument({ title: 'swarming-client', version }, api));
    },
  };
}

function json(status: number, body: unknown) {
  return { status, type: 'application/json', text: JSON.stringify(body) };
}
