import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { peer } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import {
  challengeHeader,
  contentDigest,
  createSigner,
  nonceOf,
  signatureInput,
  whyNotSigned,
} from './signature.ts';

const receiver = { rack: 'rack4', machine: 'rpi-1' };
/** RFC 9421, appendix B.1.4: `test-key-ed25519`. */
const rfcKey = {
  private: 'MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF',
  public: 'MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=',
};
const privateKey = createPrivateKey({
  key: Buffer.from(rfcKey.private, 'base64'),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = createPublicKey(privateKey);
const nonce = 'Zm9v_-1';

function signed(request: { method: string; target: string; body: string }) {
  const signer = createSigner(privateKey, receiver);
  signer.learn(new Headers({ [challengeHeader]: signatureInput(nonce) }));
  return signer.sign(request) ?? {};
}

/** Written by hand from the text of RFC 9421, section 2. */
const base = `"@method": PUT
"@path": /v1/usb/1-1/2
"@query": ?a=b%20c
"x-skolo-rack": rack4
"x-skolo-machine": rpi-1
"content-digest": sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
"@signature-params": ("@method" "@path" "@query" "x-skolo-rack" "x-skolo-machine" "content-digest");nonce="Zm9v_-1";alg="ed25519";tag="skolo"`;
// RFC 9530, appendix D: the digest of this body.
const request = { method: 'PUT', target: '/v1/usb/1-1/2?a=b%20c', body: '{"hello": "world"}' };

describe('a signature', () => {
  it('uses Ed25519 as RFC 9421 does: appendix B.2.6', () => {
    const text = `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`;
    const expected =
      'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';

    expect(sign(null, Buffer.from(text), privateKey).toString('base64')).toBe(expected);
    const key = createPublicKey({
      key: Buffer.from(rfcKey.public, 'base64'),
      format: 'der',
      type: 'spki',
    });
    expect(verify(null, Buffer.from(text), key, Buffer.from(expected, 'base64'))).toBe(true);
  });

  it('covers the base that the RFC describes', () => {
    const headers = signed(request);

    expect(headers).toMatchObject({
      'x-skolo-rack': 'rack4',
      'x-skolo-machine': 'rpi-1',
      'content-digest': 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
      'signature-input': `skolo=${base.split('"@signature-params": ')[1]}`,
    });
    const [, bytes = ''] = /^skolo=:(.*):$/.exec(headers.signature ?? '') ?? [];
    expect(verify(null, Buffer.from(base), publicKey, Buffer.from(bytes, 'base64'))).toBe(true);
  });

  it('is one for another implementation, python3-cryptography', (context) => {
    const python = peer('python3-cryptography');
    if (!python) return context.skip('python3-cryptography is not installed');
    const headers = signed(request);

    const program = `
import base64, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_der_private_key
public, private, signature, base = sys.argv[1:]
data = base.encode()
load_der_public_key(base64.b64decode(public)).verify(base64.b64decode(signature), data)
print(base64.b64encode(load_der_private_key(base64.b64decode(private), None).sign(data)).decode())
`;
    const [, signature = ''] = /^skolo=:(.*):$/.exec(headers.signature ?? '') ?? [];
    const args = ['-c', program, rfcKey.public, rfcKey.private, signature, base];
    const theirs = execFileSync(python, args, { encoding: 'utf8' }).trim();

    const url = request.target;
    const incoming = { ...request, url, headers: { ...headers, signature: `skolo=:${theirs}:` } };
    expect(whyNotSigned(incoming, { ...receiver, key: publicKey }, nonce)).toBeUndefined();
  });

  it('covers the digest of an empty body, too', () => {
    // printf '' | openssl dgst -sha256 -binary | base64
    expect(signed({ method: 'GET', target: '/v1/log', body: '' })['content-digest']).toBe(
      'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    );
    expect(contentDigest('')).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
  });

  it('of another key does not hold', () => {
    const { publicKey: key } = generateKeyPairSync('ed25519');
    const incoming = { ...request, url: request.target, headers: signed(request) };

    expect(whyNotSigned(incoming, { ...receiver, key }, nonce)).toContain('a different key');
  });
});

describe('a challenge', () => {
  it('is signed once', () => {
    const signer = createSigner(privateKey, receiver);

    signer.learn(new Headers({ [challengeHeader]: signatureInput(nonce) }));

    expect(signer.sign(request)).toBeDefined();
    expect(signer.sign(request)).toBeUndefined();
  });

  it.each([
    null,
    '',
    'sig1=("@method");nonce="a"',
    signatureInput(''),
    signatureInput('a"b'),
    signatureInput('a\nb'),
    signatureInput('a'.repeat(101)),
    `${signatureInput(nonce)};nonce="b"`,
  ])('has one form: %j is none', (header) => {
    expect(nonceOf(header ?? undefined)).toBeUndefined();
    const signer = createSigner(privateKey, receiver);
    signer.learn({ get: () => header });
    expect(signer.sign(request)).toBeUndefined();
  });
});
