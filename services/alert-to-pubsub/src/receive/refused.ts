/** Why an endpoint refuses a request. */

/**
 * - `malformed`: not such a message. `encoding`: an unsupported compression or charset.
 * - `too-large`: more than is accepted at once. `slow`: it did not arrive in time. `gone`: the sender disconnected.
 * - `auth`: wrong credentials, or they cannot be checked now. `browser`: a web browser sent it for a page.
 * - `busy`: too many messages are being read at once. `full`: the spool accepts nothing now. `failed`: a bug of ours.
 */
export const refusedWhys = [
  'malformed',
  'encoding',
  'too-large',
  'slow',
  'gone',
  'auth',
  'browser',
  'busy',
  'full',
  'failed',
] as const;
export type RefusedWhy = (typeof refusedWhys)[number];

/** Each endpoint answers it in its own form. The message is for people, with what to do. */
export class Refused extends Error {
  readonly why: RefusedWhy;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(
    why: RefusedWhy,
    status: number,
    message: string,
    { headers = {}, ...options }: ErrorOptions & { headers?: Record<string, string> } = {},
  ) {
    super(message, options);
    this.name = 'Refused';
    this.why = why;
    this.status = status;
    this.headers = headers;
  }
}

export function malformed(message: string): Refused {
  return new Refused('malformed', 400, message);
}
