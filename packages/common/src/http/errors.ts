import type { ErrorRequestHandler, RequestHandler } from 'express';
import { AuditUnavailable } from '../audit.ts';
import type { Logger } from '../log.ts';
import { HttpProblem, sendProblem } from './problem.ts';

/** For the paths that nothing else answers. */
export const notFound: RequestHandler = function notFound(request) {
  throw new HttpProblem(
    404,
    `there is no ${request.path} here; check the path, /openapi.json lists what there is`,
  );
};

/** Every error becomes a problem; one that nobody foresaw becomes a 500 that does not show what is inside, and a line in the log. */
export function problemForError(log: Logger): ErrorRequestHandler {
  return function answerWithProblem(error: unknown, _request, response, _next) {
    const requestLog = response.locals.log ?? log;
    const problem = toProblem(error);
    if (problem.status >= 500) requestLog.error({ err: error }, 'request failed');
    // Half an answer is on its way: only a broken connection tells the caller.
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem);
  };
}

export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof AuditUnavailable) {
    return new HttpProblem(
      503,
      'nothing was changed, because the audit log cannot be written; /readyz says why, try again once the disk is well',
      { headers: { 'retry-after': '30' }, cause: error },
    );
  }
  const { status, type, limit } = knownFields(error);
  if (type === 'entity.too.large') {
    return new HttpProblem(413, `the body is larger than ${limit} bytes; send less at once`);
  }
  if (type === 'charset.unsupported' || type === 'encoding.unsupported') {
    const wanted = 'send JSON in UTF-8, plain or with content-encoding gzip, deflate or br';
    return new HttpProblem(415, `the body’s encoding is not supported; ${wanted}`);
  }
  if (error instanceof URIError) {
    return new HttpProblem(400, 'the path has a bad %-escape; write each % as %25');
  }
  // What is left of Express’s and its body parser’s own errors: broken compression, a wrong content-length, …
  if (status >= 400 && status < 500) {
    return new HttpProblem(status, 'the request is malformed; check its headers and body');
  }
  return new HttpProblem(
    500,
    'the service failed to answer; its log says why, under this answer’s x-request-id',
    { cause: error },
  );
}

/** Errors of Express and its body parser (package http-errors) carry these. */
function knownFields(error: unknown): { status: number; type: string; limit: number } {
  const found = { status: 500, type: '', limit: 0 };
  if (!(error instanceof Error)) return found;
  if ('status' in error && typeof error.status === 'number') found.status = error.status;
  if ('type' in error && typeof error.type === 'string') found.type = error.type;
  if ('limit' in error && typeof error.limit === 'number') found.limit = error.limit;
  return found;
}
