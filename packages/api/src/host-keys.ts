/** Routes of services that sign in to equipment and pin its ssh host keys. */
import { z } from 'zod';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const hostKeys = route({
  method: 'get',
  path: '/v1/host-keys',
  summary: 'Lists the pinned SSH host keys of equipment',
  role: 'view',
  answers: {
    200: z.object({
      hostKeys: z.array(
        z.object({ equipment: z.string(), fingerprint: z.string(), firstSeen: Time }),
      ),
    }),
  },
});

/** @param summary of the route that forgets a host key */
export function hostKeyRoutes(summary: string) {
  const forgetHostKey = route({
    method: 'delete',
    path: '/v1/host-keys/{equipment}',
    summary,
    repeated: 'forgets a key pinned in the meantime; otherwise returns `forgotten: false`',
    role: 'operate',
    params: z.object({ equipment: z.string().min(1).max(100) }),
    query: z.strictObject({ why: z.string().max(1000).optional() }),
    audits: { target: ['params.equipment'], reason: 'query.why', answer: ['forgotten', 'lifted'] },
    answers: {
      200: z.object({
        equipment: z.string(),
        forgotten: z.boolean().describe('whether anything was'),
        lifted: z
          .literal(true)
          .optional()
          .describe('present if its description is no longer rejected as `inverted`'),
      }),
      503: Problem,
    },
  });
  return { hostKeys, forgetHostKey };
}
