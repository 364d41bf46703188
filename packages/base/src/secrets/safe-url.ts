/**
 * Decides whether tokens and keys may be sent to an address: over https, or over http on loopback, where nobody listens
 * in or changes them.
 */
export function isSafeForSecrets({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
