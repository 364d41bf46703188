import type { ServerResponse } from 'node:http';
import { problemType } from '@skolo/api/problem';
import { plainHeaders, toProblem } from '@skolo/common/light';

/** Answers with a problem, and returns its status. A response that has begun is broken off. */
export function sendProblem(response: ServerResponse, error: unknown): number {
  const problem = toProblem(error);
  if (response.headersSent || response.destroyed) response.destroy();
  else {
    const headers = { ...plainHeaders, ...problem.headers, 'content-type': problemType };
    response.writeHead(problem.status, headers).end(JSON.stringify(problem));
  }
  return problem.status;
}
