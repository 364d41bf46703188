/** Routes that every service has on its metrics port. */
import { z } from 'zod';
import { route } from './route/route.ts';
import { Time } from './time.ts';

/** What programs decide by; texts are for people. */
export const DegradedCode = z.enum(['disk-full']);
export type DegradedCode = z.output<typeof DegradedCode>;

export const DegradedPart = z.object({
  what: z.string().describe('name of the degraded part'),
  why: z.string(),
  since: Time,
  code: DegradedCode.optional().describe(
    '`disk-full`: the disk of the state directory, or its quota',
  ),
});

/** `/readyz` responds with 200 while the service accepts work, otherwise with 503. */
export const Readiness = z
  .object({
    ready: z.boolean(),
    degraded: z
      .array(DegradedPart)
      .describe('parts that are degraded although the service accepts requests'),
    passing: z
      .array(DegradedPart)
      .optional()
      .describe('parts that do not work yet, which is expected and ends without action'),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.output<typeof Readiness>;

export const probesApi = {
  metrics: route({
    method: 'get',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    role: 'anyone',
    types: ['text/plain; version=0.0.4; charset=utf-8'],
    answers: { 200: undefined },
  }),
  healthz: route({
    method: 'get',
    path: '/healthz',
    summary: 'Returns whether the process is healthy',
    role: 'anyone',
    answers: { 200: z.object({ ok: z.literal(true) }) },
  }),
  readyz: route({
    method: 'get',
    path: '/readyz',
    summary: 'Returns whether the service accepts requests, and lists its degraded parts',
    role: 'anyone',
    answers: { 200: Readiness, 503: Readiness },
  }),
};
