import { createPublicKey, type JsonWebKey, verify, X509Certificate } from 'node:crypto';
import { OAuth2Client } from 'google-auth-library';
import { describe, expect, it } from 'vitest';
import { selfSignedCertificate } from './certificate.ts';
import { makeKeyPair } from './service-account-key.ts';
import { assertion, postAssertion, startWithKey } from './testing.ts';

const audience = 'https://service.example';

async function idToken(google: Awaited<ReturnType<typeof startWithKey>>) {
  const jwt = assertion(google.key, { scope: undefined, target_audience: audience });
  const { body } = await postAssertion(google.google.tokenUrl, jwt);
  return String(body.id_token);
}

async function certificates(url: string): Promise<Record<string, string>> {
  return (await (await fetch(url)).json()) as Record<string, string>;
}

describe('signing keys', () => {
  it('are published as certificates that OpenSSL reads', async () => {
    const started = await startWithKey();

    const [kid, pem] = Object.entries(await certificates(started.google.certsUrl))[0] ?? [];

    const certificate = new X509Certificate(String(pem));
    expect(certificate.subject).toBe('CN=federated-signon.system.gserviceaccount.com');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
    expect(kid).toMatch(/^[0-9a-f]{40}$/);
  });

  it('are published as a JWK set too', async () => {
    const started = await startWithKey();
    const token = await idToken(started);

    const response = await fetch(started.google.jwkSetUrl);
    const { keys } = (await response.json()) as { keys: (JsonWebKey & { kid: string })[] };

    expect(response.headers.get('cache-control')).toMatch(/max-age=\d+/);
    expect(keys).toMatchObject([{ kty: 'RSA', alg: 'RS256', use: 'sig' }]);
    const [header = '', claims = '', signature = ''] = token.split('.');
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' });
    expect(
      verify(
        'sha256',
        Buffer.from(`${header}.${claims}`),
        key,
        Buffer.from(signature, 'base64url'),
      ),
    ).toBe(true);
    expect(keys[0]?.kid).toBe(JSON.parse(Buffer.from(header, 'base64url').toString()).kid);
  });

  it('rotate: the previous key stays published, the one before it goes', async () => {
    const started = await startWithKey();
    const { google } = started;
    const client = new OAuth2Client();
    const check = async (token: string) =>
      client.verifySignedJwtWithCertsAsync(token, await certificates(google.certsUrl), audience);
    const old = await idToken(started);

    google.rotateSigningKey();
    const recent = await idToken(started);
    await check(old);
    await check(recent);
    google.rotateSigningKey();

    await check(recent);
    await expect(check(old)).rejects.toThrow('No pem found for envelope');
  });

  it('of two simulators differ', async () => {
    const one = await startWithKey();
    const other = await startWithKey();
    const token = await idToken(one);
    await idToken(other);

    await expect(
      new OAuth2Client().verifySignedJwtWithCertsAsync(
        token,
        await certificates(other.google.certsUrl),
        audience,
      ),
    ).rejects.toThrow('No pem found for envelope');
  });
});

describe('self-signed certificate', () => {
  it.each(['1970-01-02T03:04:05Z', '2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z'])(
    'is good until %s',
    (notAfter) => {
      const pair = makeKeyPair();

      const pem = selfSignedCertificate({
        ...pair,
        commonName: 'x'.repeat(64),
        notBefore: new Date(0),
        notAfter: new Date(notAfter),
      });

      const certificate = new X509Certificate(pem);
      expect(new Date(certificate.validTo)).toEqual(new Date(notAfter));
      expect(certificate.verify(pair.publicKey)).toBe(true);
      expect(certificate.publicKey.equals(pair.publicKey)).toBe(true);
    },
  );
});
