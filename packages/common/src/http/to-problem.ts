import { AuditUnavailable } from '../audit/audit-log.ts';
import { HttpProblem } from './problem.ts';

/** Converts any error to a problem. An unexpected one becomes a 500 without details. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof AuditUnavailable) {
    return new HttpProblem(
      503,
      'nothing was changed, because the audit log cannot be written; see /readyz for the reason, and try again when the problem is fixed',
      { headers: { 'retry-after': '30' }, cause: error },
    );
  }
  if (error instanceof URIError) {
    return new HttpProblem(400, 'the path has an invalid %-escape; write each % as %25');
  }
  return new HttpProblem(
    500,
    "internal error; search the service's log for the x-request-id of this response",
    { cause: error },
  );
}
