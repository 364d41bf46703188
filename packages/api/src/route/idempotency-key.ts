/** The header (`Idempotency-Key`) with which a client can repeat a request that got no response, without a second effect. */
import { z } from 'zod';

export const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('requests with the same key within a day count as one request'),
});
