import { AuditUnavailable } from '../audit.ts';
import { HttpProblem } from './problem.ts';

/** Every error becomes a problem. One that nobody foresaw becomes a 500 that does not show what is inside. */
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
