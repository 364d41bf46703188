/**
 * DNS rebinding: a page of another site resolves its own name to an address of the rack, and a browser in the rack then
 * sends its requests here, with our answers open to the page. Such a request still names the other site.
 */
import type { IncomingMessage } from 'node:http';
import { normaliseAddress } from '../client-address.ts';

/** Why a request is rejected, for people; undefined: it names this server. */
export type HostCheck = (request: IncomingMessage) => string | undefined;

/** What clients send as Host is one of a few texts. */
const mostKept = 100;

/**
 * A check that a request names this server: by one of `names` (host names and IP addresses), as localhost, or by the
 * address that it arrived at. HTTP/1.0 without Host is accepted: every browser sends one.
 *
 * @example const check = hostCheck(jumphostHosts(rack));
 */
export function hostCheck(names: Iterable<string>): HostCheck {
  const own = new Set([...names].map((name) => normaliseAddress(name) ?? plainName(name)));
  const accepted = new Set<string>();

  function isOwn(text: string, localAddress: string | undefined): boolean {
    if (accepted.has(text)) return true;
    const host = hostOf(text);
    if (host === undefined) return false;
    if (!own.has(host) && !isLoopback(host)) return host === normaliseAddress(localAddress ?? '');
    if (accepted.size < mostKept) accepted.add(text);
    return true;
  }

  return function check({ headers, url = '', socket }) {
    // A target with a host goes before the header (RFC 9112, 3.2.2).
    const [, target] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? [];
    const foreign = [target, headers.host].find(
      (text) => text !== undefined && !isOwn(text, socket.localAddress),
    );
    if (foreign === undefined) return undefined;
    const shown = JSON.stringify(foreign.slice(0, 100));
    return `host ${shown} is not a name or address of this server; use one of its own, or add this one to jumphost.hosts in rack.yaml`;
  };
}

/** Of a Host header: without port, in one spelling. */
function hostOf(text: string): string | undefined {
  const [, host] = /^(\[[^\]\s]+\]|[^\s:/@?#[\]]+)(?::\d{1,5})?$/.exec(text) ?? [];
  if (host === undefined) return undefined;
  return normaliseAddress(host.replace(/^\[|\]$/g, '')) ?? plainName(host);
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
