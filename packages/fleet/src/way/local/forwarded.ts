/**
 * A request through the tunnel arrives from the jumphost's own address. These headers tell a service that it was sent by somebody
 * else, who must not receive metadata tokens or anonymous read access.
 */

/** RFC 7239 and the older header. The sender's address has no meaning in the rack. */
const forwardedHeaders = { forwarded: 'for=unknown', 'x-forwarded-for': 'unknown' } as const;

/** Headers that a sender must not set. */
const ofProxies = new Set(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']);

/** The headers of a request, marked as forwarded. */
export function markForwarded(headers: Iterable<readonly [string, string]>): [string, string][] {
  const own = [...headers].filter(([name]) => !ofProxies.has(name.toLowerCase()));
  return [
    ...own.map(([name, value]): [string, string] => [name, value]),
    ...Object.entries(forwardedHeaders),
  ];
}
