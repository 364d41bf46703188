/** What every service answers on its metrics port. */
import { z } from 'zod';
import { route } from './route.ts';
import { Time } from './time.ts';

/** What `/readyz` answers: with 200 while the service can accept its work, with 503 when it must refuse everyone. */
export const Readiness = z
  .object({
    ready: z.boolean(),
    degraded: z
      .array(
        z.object({
          what: z.string().meta({ description: 'the part that is worse off than it should be' }),
          why: z.string(),
          since: Time,
        }),
      )
      .meta({ description: 'what works less well than it should, though work is accepted' }),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.output<typeof Readiness>;

export const probesApi = {
  metrics: route({
    method: 'get',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    types: ['text/plain; version=0.0.4; charset=utf-8'],
    answers: { 200: undefined },
  }),
  healthz: route({
    method: 'get',
    path: '/healthz',
    summary: 'Whether the process works',
    answers: { 200: z.object({ ok: z.literal(true) }) },
  }),
  readyz: route({
    method: 'get',
    path: '/readyz',
    summary: 'Whether the service can accept its work, and what is degraded',
    answers: { 200: Readiness, 503: Readiness },
  }),
};
