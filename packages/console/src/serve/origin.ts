/**
 * Decides whether a request comes from our own pages: those that change something must (CSRF). `SameSite=Strict` does not exclude other
 * ports on the jumphost, which are the same site to a cookie.
 */
import type { IncomingMessage } from 'node:http';

const harmless = ['GET', 'HEAD', 'OPTIONS'];

/** Why a request is rejected; undefined if it changes nothing, or comes from our pages or from a program. */
export function originProblem(
  { method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  hasSession: boolean,
): string | undefined {
  if (harmless.includes(method)) return undefined;
  // Browsers only send it to https and localhost. Pages cannot set it.
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    return site === 'same-origin' ? undefined : problem(`Sec-Fetch-Site: ${site}`);
  }
  const { origin } = headers;
  if (origin === undefined) return hasSession ? problem('the Origin header is missing') : undefined;
  const host = URL.canParse(origin) ? new URL(origin).host : undefined;
  return host === headers.host ? undefined : problem(`Origin: ${origin}`);
}

function problem(what: string): string {
  return `this request seems to come from another site (${what.slice(0, 200)}); use the console's own pages`;
}
