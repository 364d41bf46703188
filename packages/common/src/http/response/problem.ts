import type { Problem } from '@skolo/api/problem';
import { NamedError } from '@skolo/base';
import { STATUS_CODES } from '@skolo/base/http';

interface HttpProblemOptions {
  headers?: Record<string, string>;
  /** Additional members. */
  members?: Record<string, unknown>;
  /** For the log; never sent. */
  cause?: unknown;
}

/** An error that becomes the response, as `application/problem+json` (RFC 9457). */
export class HttpProblem extends NamedError {
  readonly status: number;
  readonly title: string;
  /** Error and hint, for the caller. */
  readonly detail: string;
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(status: number, detail: string, options: HttpProblemOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.detail = detail;
    this.title = STATUS_CODES[status] ?? 'Error';
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }

  toJSON(): Problem {
    const { title, status, detail, members } = this;
    // No more than the status.
    return { ...members, type: 'about:blank', title, status, detail };
  }
}

/** 503: the service cannot handle this request now, but soon. */
export function busy(why: string): HttpProblem {
  return new HttpProblem(503, `${why}; try again in a few seconds`, {
    headers: { 'retry-after': '5' },
  });
}
