import { isIP } from 'node:net';

/** The address that requests come from, where it is one of several that are told apart: the one that is listened on. */
export function localAddressOf(host: string | undefined): string | undefined {
  if (host === undefined || isIP(host) === 0) return undefined;
  return host === '::' || host === '0.0.0.0' ? undefined : host;
}
