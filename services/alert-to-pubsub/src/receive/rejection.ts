/** The reasons for which a request is rejected, and the status of each. */
import { HttpProblem } from '@skolo/common';

/**
 * - `malformed`: not such a message. `encoding`: an unsupported compression or charset.
 * - `too-large`: more than the limit. `gone`: the sender disconnected, or was too slow.
 * - `auth`: wrong credentials. `secret`: they cannot be checked now. `browser`: a web browser sent it for a page.
 * - `busy`: too many messages are being read at once. `full`: the spool accepts nothing now.
 */
const statuses = {
  malformed: 400,
  encoding: 415,
  'too-large': 413,
  gone: 400,
  auth: 401,
  secret: 503,
  browser: 403,
  busy: 503,
  full: 503,
} as const;
export type RejectionReason = keyof typeof statuses;
export const rejectionReasons = Object.keys(statuses);

/** Each endpoint sends it in its own form. The message is for people, and says what to do. */
export class Rejection extends HttpProblem {
  readonly reason: RejectionReason;

  constructor(
    reason: RejectionReason,
    message: string,
    options: { headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(statuses[reason], message, options);
    this.reason = reason;
  }
}

/** Those of reading a body. */
const ofStatus = new Map<number, RejectionReason>([
  [413, 'too-large'],
  [415, 'encoding'],
  [503, 'busy'],
]);

/** Of any problem with a request. */
export function reasonOf(problem: HttpProblem): RejectionReason {
  if (problem instanceof Rejection) return problem.reason;
  return ofStatus.get(problem.status) ?? 'malformed';
}

export function malformed(message: string): Rejection {
  return new Rejection('malformed', message);
}

/** Nothing can be accepted now: the sender must retry. */
export function full(message: string): Rejection {
  return new Rejection('full', message, { headers: { 'retry-after': '15' } });
}
