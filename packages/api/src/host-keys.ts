/** What a service that signs in to equipment tells of the host keys that it has pinned: the same for each of them. */
import { z } from 'zod';
import { Problem } from './problem.ts';
import { route } from './route.ts';
import { Time } from './time.ts';

const hostKeys = route({
  method: 'get',
  path: '/v1/host-keys',
  summary: 'Host keys of devices that were pinned when they were first seen',
  role: 'view',
  answers: {
    200: z.object({
      hostKeys: z.array(z.object({ device: z.string(), fingerprint: z.string(), firstSeen: Time })),
    }),
  },
});

/** @param forgets what is forgotten of a device, in one line */
export function hostKeyRoutes(forgets: string) {
  const forgetHostKey = route({
    method: 'delete',
    path: '/v1/host-keys/{device}',
    summary: forgets,
    role: 'operate',
    params: z.object({ device: z.string().min(1).max(100) }),
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.device'], reason: 'query.why', answer: ['forgotten'] },
    answers: { 200: z.object({ device: z.string(), forgotten: z.boolean() }), 503: Problem },
  });
  return { hostKeys, forgetHostKey };
}
