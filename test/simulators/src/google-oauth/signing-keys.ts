/** The keys that sign ID tokens, and how Google publishes them. */
import { selfSignedCertificate } from './certificate.ts';
import { signJwt } from './jwt.ts';
import type { Answer } from './rejection.ts';
import { type KeyPair, makeKeyPair } from './service-account-key.ts';

const day = 24 * 3600 * 1000;
/** Of simulators that are closed, for the next ones: no two that run have the same, and to make one takes up to a second. */
const spare: KeyPair[] = [];

export class SigningKeys {
  private readonly now: () => number;
  /** Newest first. Made when first needed: an RSA key is slow to make and most tests want no ID token. */
  private readonly pairs: KeyPair[] = [];

  constructor(now: () => number) {
    this.now = now;
  }

  sign(claims: object): string {
    return signJwt(claims, this.current());
  }

  /** Signs with a new key from now on. The previous one stays published for what it signed, the older ones go. */
  rotate(): void {
    this.current();
    this.pairs.unshift(spare.pop() ?? makeKeyPair());
    this.pairs.splice(2);
  }

  /** Signs nothing any more. */
  close(): void {
    spare.push(...this.pairs.splice(0));
  }

  /** `GET /oauth2/v1/certs`: a certificate by key id. */
  certificates(): Answer {
    const body: Record<string, string> = {};
    for (const { kid, publicKey, privateKey } of this.published()) {
      body[kid] = selfSignedCertificate({
        publicKey,
        privateKey,
        commonName: 'federated-signon.system.gserviceaccount.com',
        notBefore: new Date(this.now() - 7 * day),
        notAfter: new Date(this.now() + 9 * day),
      });
    }
    return { status: 200, body, headers: cacheable };
  }

  /** `GET /oauth2/v3/certs`: a JWK set (RFC 7517). */
  jwkSet(): Answer {
    const keys = this.published().map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg: 'RS256',
      use: 'sig',
    }));
    return { status: 200, body: { keys }, headers: cacheable };
  }

  private current(): KeyPair {
    const pair = this.pairs[0] ?? spare.pop() ?? makeKeyPair();
    if (this.pairs.length === 0) this.pairs.push(pair);
    return pair;
  }

  private published(): KeyPair[] {
    this.current();
    return this.pairs;
  }
}

const cacheable = { 'cache-control': 'public, max-age=22000, must-revalidate, no-transform' };
