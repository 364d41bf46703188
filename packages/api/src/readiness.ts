import { z } from 'zod';
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
