/**
 * Decides whether a request or response belongs to another rack, by the name of the rack in each. Two racks may use the same addresses, and
 * a tunnel or a --url may lead anywhere. So a service rejects a request for another rack before any effect, and a client rejects the response
 * of another rack, which may come from a service that ignores the request's header.
 *
 * A response without the header is accepted: proxies do not send it.
 */
export const rackHeader = 'x-skolo-rack';

/**
 * Why a request or its response is rejected; undefined if the rack is right, or one of the two is not named.
 *
 * @param is the service's rack
 * @param wanted the rack that the client means
 */
export function anotherRack(
  is: string | null | undefined,
  wanted: string | undefined,
): string | undefined {
  if (is == null || wanted === undefined || is === wanted) return undefined;
  return `this is rack ${is}, not ${wanted}; check the service's address in rack.yaml, or use the rack.yaml of ${is}`;
}
