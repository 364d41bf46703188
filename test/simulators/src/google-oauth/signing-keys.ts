/** The keys that sign ID tokens, and how Google publishes them. */
import type { Answer } from '../cloud/web-server.ts';
import { selfSignedCertificate } from './certificate.ts';
import { signJwt } from './jwt.ts';
import { type KeyPair, makeKeyPair } from './service-account-key.ts';

const day = 24 * 3600 * 1000;
/** Of simulators that are closed, for the next ones: no two that run have the same, and to make one takes up to a second. */
const spare: KeyPair[] = [];

export class SigningKeys {
  private readonly now: () => number;
  /** Made when first needed: an RSA key is slow to make and most tests want no ID token. */
  private pair: KeyPair | undefined;

  constructor(now: () => number) {
    this.now = now;
  }

  sign(claims: object): string {
    return signJwt(claims, this.current());
  }

  /** Signs nothing any more. */
  close(): void {
    if (this.pair) spare.push(this.pair);
    this.pair = undefined;
  }

  /** `GET /oauth2/v1/certs`: a certificate by key id. */
  certificates(): Answer {
    const { kid, publicKey, privateKey } = this.current();
    const body = {
      [kid]: selfSignedCertificate({
        publicKey,
        privateKey,
        commonName: 'federated-signon.system.gserviceaccount.com',
        notBefore: new Date(this.now() - 7 * day),
        notAfter: new Date(this.now() + 9 * day),
      }),
    };
    return { status: 200, body, headers: cacheable };
  }

  private current(): KeyPair {
    this.pair ??= spare.pop() ?? makeKeyPair();
    return this.pair;
  }
}

const cacheable = { 'cache-control': 'public, max-age=22000, must-revalidate, no-transform' };
