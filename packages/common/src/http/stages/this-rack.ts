/** Rejects a request that was sent to another rack's service (421), before it has any effect. */
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import type { AppOptions, Stage } from '../options.ts';
import { HttpProblem } from '../response/problem.ts';

/** Requests may name the rack that they expect. */
export function thisRack({ rack }: AppOptions): Stage {
  return (request, _response, next) => {
    const misdirected = anotherRack(rack?.rack?.name, request.headers[rackHeader]?.toString());
    if (misdirected !== undefined) throw new HttpProblem(421, misdirected);
    next();
  };
}
