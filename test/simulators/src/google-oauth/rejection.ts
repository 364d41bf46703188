import type { Answer } from '../cloud/web-server.ts';

/** Thrown by an endpoint to answer with an error; `reason` is the code that the caller sees. */
export class Rejection extends Error {
  answer: Answer;
  reason: string;

  constructor(reason: string, answer: Answer) {
    super(reason);
    this.name = 'Rejection';
    this.reason = reason;
    this.answer = answer;
  }
}

/** RFC 6749, 5.2: `{ error, error_description }`. */
export function oauthError(error: string, description: string, status = 400): Rejection {
  return new Rejection(error, { status, body: { error, error_description: description } });
}

/** The error model of Google's other APIs: https://cloud.google.com/apis/design/errors */
export function apiError(
  code: number,
  status: string,
  message: string,
  details?: object[],
): Rejection {
  return new Rejection(status, {
    status: code,
    body: { error: { code, message, status, ...(details && { details }) } },
    ...(code === 401 && {
      headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' },
    }),
  });
}
