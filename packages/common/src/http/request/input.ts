/** The input of a route: params, query, headers and body, as its schemas have them. */
import type { ParsedInput } from '@skolo/api/audited-fields';
import type { RouteSpec } from '@skolo/api/route';
import { z } from 'zod';
import { HttpProblem } from '../response/problem.ts';

const nothing = z.object({});

/** Made once for each route, because to make the schema takes longer than to use it. */
export function inputOf(spec: RouteSpec) {
  const { params = nothing, query = nothing, headers = nothing, body = z.undefined() } = spec;
  const schema = z.object({ params, query, headers, body });

  /** @throws HttpProblem 400, with all errors */
  return function parse(given: ParsedInput): ParsedInput {
    const parsed = schema.safeParse(given);
    if (parsed.success) return parsed.data;
    const errors = parsed.error.issues.map(({ path, message }) => ({
      path: path.join('.'),
      message,
    }));
    const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new HttpProblem(400, detail, { members: { errors } });
  };
}
