/**
 * Decides which requests of web browsers are rejected (cross-site requests): any web page can make a browser in the rack send requests,
 * and browsers prefetch links. An endpoint without a password is for programs, so it rejects browsers.
 */
import type { IncomingMessage } from 'node:http';

/**
 * Only browsers send these. Each POST of a page has `Origin`. Browsers omit `Sec-Fetch-Site` unless the address is https
 * or localhost, and a page can suppress `Referer`.
 */
const ofBrowsers = [
  'sec-fetch-site',
  'sec-purpose',
  'purpose',
  'x-purpose',
  'x-moz',
  'origin',
  'referer',
];

/** Why a request is rejected: a header that only browsers send. Undefined if it has none. */
export function browserProblem({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const name = ofBrowsers.find((each) => headers[each] !== undefined);
  return name && `web browsers are rejected (header ${name}); use a program such as curl`;
}

/**
 * Like {@link browserProblem}, for an endpoint that changes something on GET. A page can load it as an image without these
 * headers, but not without `User-Agent`.
 */
export function browserGetProblem(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const isBrowser = request.headers['user-agent']?.startsWith('Mozilla/') ?? false;
  const named = 'web browsers are rejected (header user-agent); use a program such as curl';
  return browserProblem(request) ?? (isBrowser ? named : undefined);
}
