/** A certificate that nobody but the device itself has signed, as rack equipment comes with. */
import { generateKeyPairSync } from 'node:crypto';
import { selfSignedCertificate } from '../../google-oauth/certificate.ts';

export function ownCertificate(): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const day = 24 * 60 * 60 * 1000;
  const cert = selfSignedCertificate({
    publicKey,
    privateKey,
    commonName: 'device',
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 3650 * day),
  });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}
