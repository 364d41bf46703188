/**
 * HTTP Message Signatures (RFC 9421) with Ed25519, from the text of the RFC, for any list of components. Written without the
 * package that signs, on purpose.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What must be covered, whatever else is. */
const required = [
  '@method',
  '@path',
  '@query',
  'content-digest',
  'x-skolo-rack',
  'x-skolo-machine',
];

/** A request for a signature with this nonce: section 5.1. */
export function acceptSignature(nonce: string): string {
  const components = [
    ...['@method', '@path', '@query', 'x-skolo-rack', 'x-skolo-machine', 'content-digest'],
  ].map((name) => `"${name}"`);
  return `skolo=(${components.join(' ')});nonce="${nonce}";alg="ed25519";tag="skolo"`;
}

/**
 * The nonce of a signed request; undefined: it is not signed by this key, or covers too little.
 *
 * @param publicKey `x` of RFC 8037, in base64url
 */
export function signedNonce(
  request: IncomingMessage,
  body: string,
  publicKey: string,
): string | undefined {
  const { headers, method, url = '' } = request;
  const [, label, list = '', parameters = ''] =
    /^(\w+)=\(([^)]*)\)(;.*)$/.exec(String(headers['signature-input'])) ?? [];
  const [, signature] = new RegExp(`^${label}=:([^:]+):$`).exec(String(headers.signature)) ?? [];
  const digest = createHash('sha256').update(body).digest('base64');
  if (signature === undefined || headers['content-digest'] !== `sha-256=:${digest}:`) return;
  const names = [...list.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
  if (!required.every((name) => names.includes(name))) return;
  const { pathname, search } = new URL(url, 'http://agent');
  const derived: Record<string, string | undefined> = {
    '@method': method,
    '@path': pathname,
    '@query': search || '?',
  };
  const lines = names.map((name) => `"${name}": ${derived[name] ?? String(headers[name]).trim()}`);
  const base = [...lines, `"@signature-params": (${list})${parameters}`].join('\n');
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey },
    format: 'jwk',
  });
  if (!verify(null, Buffer.from(base), key, Buffer.from(signature, 'base64'))) return;
  return /;nonce="([^"]*)"/.exec(parameters)?.[1];
}
