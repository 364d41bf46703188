/** The form of an error response: `application/problem+json` (RFC 9457). */
import { z } from 'zod';

/** The content type of a {@link Problem}. */
export const problemType = 'application/problem+json';

/** The body of an error (RFC 9457). A route can extend this schema with its own members. */
export const Problem = z
  .looseObject({
    type: z.string().default('about:blank').describe('URI of the kind of problem'),
    title: z.string().describe('kind of problem; identical for each occurrence'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('what happened, and what to do'),
    instance: z.string().optional().describe('URI of this occurrence'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
export type Problem = z.output<typeof Problem>;
