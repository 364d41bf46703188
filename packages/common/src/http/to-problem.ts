import { AuditUnavailable } from '../audit/audit-log.ts';
import { HttpProblem } from './problem.ts';

/** Converts any error to a problem. An unexpected one becomes a 500 without details. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof AuditUnavailable) {
    return new HttpProblem(
      503,
      'nothing was changed, because the audit log cannot be written; see /readyz, and try again when the disk works',
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
  // Other errors of Express and its body parser: broken compression, a wrong content-length, …
  if (status >= 400 && status < 500) {
    return new HttpProblem(status, 'the request is malformed; check its headers and body');
  }
  return new HttpProblem(
    500,
    'internal error; see the log of the service with the x-request-id of this response',
    { cause: error },
  );
}

/** Fields of errors of Express and its body parser (package http-errors). */
function knownFields(error: unknown): { status: number; type: string; limit: number } {
  const found = { status: 500, type: '', limit: 0 };
  if (!(error instanceof Error)) return found;
  if ('status' in error && typeof error.status === 'number') found.status = error.status;
  if ('type' in error && typeof error.type === 'string') found.type = error.type;
  if ('limit' in error && typeof error.limit === 'number') found.limit = error.limit;
  return found;
}
