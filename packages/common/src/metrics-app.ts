import type { Readiness } from '@skolo/api';
import { type Express, type RequestHandler, Router } from 'express';
import type { Degraded } from './degraded.ts';
import { type AppOptions, bareApp, createApp } from './http/app.ts';
import { otherMethods } from './http/routes.ts';
import type { ServiceDefinition } from './service.ts';

export interface MetricsAppOptions
  extends Pick<AppOptions<never>, 'name' | 'version' | 'log' | 'metrics' | 'access' | 'audit'> {
  api: ServiceDefinition['api'];
  readiness: () => { ready: boolean; degraded: Degraded[] };
}

/** The app of the metrics port, and the part of it that a service may add routes to once it has started. */
export function createMetricsApp(options: MetricsAppOptions): { app: Express; admin: Express } {
  const { readiness, metrics } = options;
  const admin = bareApp();
  const probes = Router({ caseSensitive: true });
  const answers: Record<string, RequestHandler> = {
    '/metrics': async (_request, response) => {
      response.set('content-type', metrics.contentType).send(await metrics.metrics());
    },
    '/healthz': (_request, response) => {
      response.json({ ok: true });
    },
    '/readyz': (_request, response) => {
      const { ready, degraded } = readiness();
      const body: Readiness = {
        ready,
        degraded: degraded.map((each) => ({ ...each, since: each.since.toISOString() })),
      };
      response.status(ready ? 200 : 503).json(body);
    },
  };
  for (const [path, answer] of Object.entries(answers)) {
    probes.get(path, answer).all(path, otherMethods(new Set(['GET'])));
  }
  return { app: createApp({ ...options, more: [probes, admin] }), admin };
}
