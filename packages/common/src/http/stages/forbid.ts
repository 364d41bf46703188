/** Decides who may call a server's own stages, apart from its routes. */
import type { IncomingMessage } from 'node:http';
import type { Stage } from '../options.ts';
import { HttpProblem } from '../response/problem.ts';

/** 403 for requests that `why` gives a reason for. */
export function forbid(why: (request: IncomingMessage) => string | undefined): Stage {
  return (request, _response, next) => {
    const reason = why(request);
    if (reason !== undefined) throw new HttpProblem(403, reason);
    next();
  };
}
