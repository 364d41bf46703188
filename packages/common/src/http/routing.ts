/** Finds the API route of a request. */
import type { IncomingMessage } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import { noSuchPath } from '@skolo/api/calls';
import { HttpProblem } from './problem.ts';
import type { BoundRoute } from './routes.ts';

/** Of a request. @throws HttpProblem 400: neither a path nor a URL, such as `*`. */
export function targetOf({ url = '/' }: IncomingMessage): { path: string; query: object } {
  const target = url.startsWith('/') ? url : URL.canParse(url) && new URL(url);
  if (!target) throw new HttpProblem(400, 'the request target is not a path; start it with /');
  const text = typeof target === 'string' ? target : `${target.pathname}${target.search}`;
  const at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  return { path, query: { ...parseQuery(at < 0 ? '' : text.slice(at + 1)) } };
}

/** The route for the method; for OPTIONS the allowed methods. @throws HttpProblem 404, 405 */
export function findMethod(
  here: readonly BoundRoute[],
  path: string,
  { method = '' }: IncomingMessage,
): BoundRoute | string {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = here.find(({ spec }) => spec.method.toUpperCase() === wanted);
  if (found !== undefined) return found;
  if (here.length === 0) {
    const hint = 'check the path; /openapi.json lists all paths';
    throw new HttpProblem(404, `${noSuchPath}${path}; ${hint}`);
  }
  const allow = allowed(here.map(({ spec }) => spec.method.toUpperCase()));
  if (method === 'OPTIONS') return allow;
  throw wrongMethod(path, method, allow);
}

/** The value of `Allow`: GET includes HEAD, and OPTIONS is always allowed. */
function allowed(methods: Iterable<string>): string {
  const all = new Set([...methods, 'OPTIONS']);
  if (all.has('GET')) all.add('HEAD');
  return [...all].sort().join(', ');
}

/** A 405 that names the allowed methods. */
export function wrongMethod(path: string, method: string, allow: string): HttpProblem {
  return new HttpProblem(405, `${path}: method ${method} is not allowed; use ${allow}`, {
    headers: { allow },
  });
}

/** The parameters of a path. @throws URIError */
export function paramsOf({ pattern }: BoundRoute, path: string): Record<string, string> {
  const entries = Object.entries(pattern.exec(path)?.groups ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, decodeURIComponent(value)]));
}
