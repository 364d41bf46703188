/**
 * A request through the tunnel arrives from the jumphost's own address. These headers tell a service that its sender is somebody
 * else: it then gets no metadata token and no anonymous reading.
 */

/** RFC 7239 and its predecessor. The sender has no address that means anything in the rack. */
const forwardedHeaders = { forwarded: 'for=unknown', 'x-forwarded-for': 'unknown' } as const;

/** What a sender must not say itself. */
const ofProxies = new Set(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']);

/** The headers of a request, marked as forwarded. */
export function markForwarded(headers: Iterable<readonly [string, string]>): [string, string][] {
  const own = [...headers].filter(([name]) => !ofProxies.has(name.toLowerCase()));
  return [
    ...own.map(([name, value]): [string, string] => [name, value]),
    ...Object.entries(forwardedHeaders),
  ];
}
