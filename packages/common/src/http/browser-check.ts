/**
 * Cross-site requests: a page of any site can make a browser in the rack send requests here, and a browser prefetches
 * links by itself. An endpoint without a password is for programs, so it rejects browsers.
 */
import type { IncomingMessage } from 'node:http';

/**
 * Only browsers send these. `Origin` comes with each POST of a page. Browsers leave `Sec-Fetch-Site` out where the address
 * is neither https nor localhost, and a page can suppress `Referer`.
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

/** Why a request is rejected, for people: it has a header that only browsers send. Undefined: it has none. */
export function browserProblem({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const name = ofBrowsers.find((each) => headers[each] !== undefined);
  return name && `web browsers are rejected (header ${name}); use a program such as curl`;
}

/**
 * As {@link browserProblem}, for an endpoint that changes something on GET. A page can load that as an image without any
 * of those headers, but not without the browser's name.
 */
export function browserGetProblem(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const isBrowser = request.headers['user-agent']?.startsWith('Mozilla/') ?? false;
  const named = 'web browsers are rejected (header user-agent); use a program such as curl';
  return browserProblem(request) ?? (isBrowser ? named : undefined);
}
