/** The input of a route: params, query, headers and body, as its schemas have them. */
import type { RouteSpec } from '@skolo/api/route';
import { z } from 'zod';
import { HttpProblem } from '../response/problem.ts';

interface Parsed {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: unknown;
}

const nothing = z.object({});
const schemas = new WeakMap<RouteSpec, z.ZodType>();

/** Of all inputs of a route. Kept, because to make it takes longer than to use it. */
function schemaOf(spec: RouteSpec): z.ZodType {
  const known = schemas.get(spec);
  if (known !== undefined) return known;
  const { params = nothing, query = nothing, headers = nothing, body = z.undefined() } = spec;
  const schema = z.object({ params, query, headers, body });
  schemas.set(spec, schema);
  return schema;
}

/** Reports all errors in params, query, headers and body at once. */
export function parseInput(spec: RouteSpec, given: Record<keyof Parsed, unknown>): Parsed {
  const parsed = schemaOf(spec).safeParse(given);
  if (parsed.success) return parsed.data as Parsed;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: path.join('.'),
    message,
  }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpProblem(400, detail, { members: { errors } });
}
