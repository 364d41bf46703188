/**
 * Requests that change something have to come from our own pages. `SameSite=Strict` does not keep other ports of the
 * jumphost out: for a cookie they are the same site.
 */
import type { IncomingMessage } from 'node:http';

const harmless = ['GET', 'HEAD', 'OPTIONS'];

/** Why a request is rejected; undefined: it changes nothing, or is of our pages, or of a program. */
export function originProblem(
  { method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  hasSession: boolean,
): string | undefined {
  if (harmless.includes(method)) return undefined;
  // Browsers send it to https and localhost only. No page can set it.
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    return site === 'same-origin' ? undefined : problem(`Sec-Fetch-Site: ${site}`);
  }
  const { origin } = headers;
  if (origin === undefined) return hasSession ? problem('no header Origin') : undefined;
  const host = URL.canParse(origin) ? new URL(origin).host : undefined;
  return host === headers.host ? undefined : problem(`Origin: ${origin}`);
}

function problem(what: string): string {
  return `this request comes from another site (${what.slice(0, 200)}); use the console's own pages`;
}
