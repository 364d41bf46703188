/** Why a door sends somebody away. */

/**
 * - `malformed`: not such a message. `encoding`: compressed or written in a way that is not understood.
 * - `too-large`: more than is taken at once. `slow`: it did not arrive in time. `gone`: the sender left in the middle.
 * - `auth`: not who may hand in alerts, or that cannot be told now. `browser`: a web browser sent it for a page.
 * - `busy`: too many messages are being read at once. `full`: the spool takes nothing now. `failed`: a fault of ours.
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

/** Each door says it in its own form; the message is for people, and says what to do. */
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
