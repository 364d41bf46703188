/** Responds to requests for which no route is responsible: 404, 405. */
import { noSuchPath } from '@skolo/api/calls';
import { pathOf } from '../exchange.ts';
import type { Stage } from '../options.ts';
import { HttpProblem } from '../response/problem.ts';
import type { BoundRoute } from '../routes.ts';

/** Of several routes with this path, whatever the method: two paths may match one request. */
export function matches({ label, spec }: BoundRoute): Stage {
  return (_request, { locals: { exchange } }, next) => {
    if (exchange.methods.length === 0) exchange.route = label;
    exchange.methods.push(spec.method.toUpperCase());
    next();
  };
}

/** 404, 405; OPTIONS. */
export const notFound: Stage = (request, response) => {
  const { methods } = response.locals.exchange;
  const { method = '' } = request;
  const path = pathOf(request);
  if (methods.length === 0) {
    const hint = 'check the path; /openapi.json lists all paths';
    throw new HttpProblem(404, `${noSuchPath}${path}; ${hint}`);
  }
  const allow = allowed(methods);
  if (method !== 'OPTIONS') throw wrongMethod(path, method, allow);
  response.writeHead(204, { allow }).end();
};

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
