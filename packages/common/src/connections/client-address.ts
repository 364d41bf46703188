/** Determines the address of a client, and whether a request came through a proxy. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The canonical form of an IP address: IPv4 dotted (also for IPv4-mapped IPv6, `::ffff:10.0.0.1`), IPv6 as in
 * RFC 5952, without the zone (`fe80::1%eth0`). Undefined if `text` is not an IP address.
 */
export function normaliseAddress(text: string): string | undefined {
  const bare = text.split('%', 1)[0] ?? '';
  const version = isIP(bare);
  if (version === 0) return undefined;
  // Node only accepts the canonical form of IPv4.
  return version === 4 ? bare : ipaddr.process(bare).toString();
}

/** Address of the connection's peer, as in {@link normaliseAddress}. Ignores headers. */
export function clientAddress(request: IncomingMessage): string {
  return normaliseAddress(request.socket.remoteAddress ?? '') ?? 'unknown';
}

/** Whether a proxy header shows that the peer is not the caller. */
export function cameThroughProxy(request: IncomingMessage): boolean {
  const { headers } = request;
  return 'x-forwarded-for' in headers || 'forwarded' in headers || 'via' in headers;
}

/** A test for membership in any of the networks (`192.168.1.0/24`, `fd00::/8`, a single address). Throws on a bad one. */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  const ranges = networks.map((network) =>
    ipaddr.parseCIDR(
      network.includes('/') ? network : `${network}/${isIP(network) === 4 ? 32 : 128}`,
    ),
  );
  return function isIn(address) {
    const plain = normaliseAddress(address);
    if (plain === undefined) return false;
    const parsed = ipaddr.parse(plain);
    return ranges.some(
      ([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits),
    );
  };
}
