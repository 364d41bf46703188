import type { ServerResponse } from 'node:http';
import { problemType } from '@skolo/api/problem';
import { type Place, plainHeaders, toProblem } from '@skolo/common/light';

/** Responds with a problem, and returns its status. Aborts a response that has already started. */
export function sendProblem(response: ServerResponse, error: unknown, place?: Place): number {
  const problem = toProblem(error, place);
  if (response.headersSent || response.destroyed) response.destroy();
  else {
    const headers = { ...plainHeaders, ...problem.headers, 'content-type': problemType };
    response.writeHead(problem.status, headers).end(JSON.stringify(problem));
  }
  return problem.status;
}
