/** A certificate that nobody but the device itself has signed, as rack equipment comes with. */
import { generateKeyPairSync } from 'node:crypto';
import { selfSignedCertificate } from '../../google-oauth/certificate.ts';

let shared: Certified | undefined;

interface Certified {
  key: string;
  cert: string;
}

/** The same for all devices of this process, because making keys takes long, unless a new one is asked for. */
export function ownCertificate(isNew: boolean): Certified {
  if (isNew) return makeCertificate();
  shared ??= makeCertificate();
  return shared;
}

function makeCertificate(): Certified {
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
