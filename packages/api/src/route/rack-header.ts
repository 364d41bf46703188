/**
 * The name of a rack with each request and answer. Two racks may have the same addresses, and a tunnel or a --url leads
 * anywhere: a service rejects a request that is meant for another rack before any effect, and a client rejects the answer of
 * another rack, which may come from a service that ignores the header of the request.
 *
 * An answer without the header is accepted: proxies do not send it.
 */
export const rackHeader = 'x-skolo-rack';

/**
 * Why a request or its answer is rejected; undefined: it is the right rack, or one of the two is not named.
 *
 * @param is the rack of the service
 * @param wanted the rack that the client means
 */
export function anotherRack(
  is: string | null | undefined,
  wanted: string | undefined,
): string | undefined {
  if (is == null || wanted === undefined || is === wanted) return undefined;
  return `this is rack ${is}, not ${wanted}; fix the service's address in rack.yaml, or use the rack.yaml for ${is}`;
}
