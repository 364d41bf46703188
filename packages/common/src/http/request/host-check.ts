/**
 * Decides which `Host` headers are accepted, to prevent DNS rebinding: a web page resolves its own name to an address of the rack. A
 * browser in the rack then sends the page's requests here, and the page can read the responses. Such a request still names the other
 * site as Host.
 */
import type { IncomingMessage } from 'node:http';
import { normaliseAddress } from '../../connections/client-address.ts';

/** Why a request is rejected; undefined if its Host is this server. */
export type HostCheck = (request: IncomingMessage) => string | undefined;

/** Clients send few different Hosts. */
const mostKept = 100;

/**
 * Checks that the Host of a request is this server: one of `names` (host names and IP addresses), localhost, or the local
 * address. Accepts HTTP/1.0 without Host: every browser sends one.
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
    // A target with a host overrides the header (RFC 9112, 3.2.2).
    const [, target] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? [];
    const foreign = [target, headers.host].find(
      (text) => text !== undefined && !isOwn(text, socket.localAddress),
    );
    if (foreign === undefined) return undefined;
    const host = JSON.stringify(foreign.slice(0, 100));
    return `host ${host} is not a name or address of this server; use a valid one, or add it to jumphost.hosts in rack.yaml`;
  };
}

/** The canonical host of a Host header, without port. */
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
