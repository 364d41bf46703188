import { X509Certificate } from 'node:crypto';
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
