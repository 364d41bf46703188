import { z } from 'zod';

/** The content type of a {@link Problem}. */
export const problemType = 'application/problem+json';

/**
 * How every service answers when it cannot do what was asked (RFC 9457). Members of its own may follow: a route that
 * has some to offer extends this schema.
 */
export const Problem = z
  .looseObject({
    type: z.string().default('about:blank').meta({ description: 'a URI that names the kind' }),
    title: z.string().meta({ description: 'the kind of problem, the same for each occurrence' }),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'what is wrong this time, and what to do about it' }),
    instance: z.string().optional().meta({ description: 'a URI that names this occurrence' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
export type Problem = z.output<typeof Problem>;
