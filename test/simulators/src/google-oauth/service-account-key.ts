import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** The JSON of a service account's key file, as `gcloud iam service-accounts keys create` writes it. */
export interface ServiceAccountKey {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  auth_uri: string;
  token_uri: string;
  auth_provider_x509_cert_url: string;
  client_x509_cert_url: string;
  universe_domain: string;
}

export interface KeyPair {
  /** 40 hex digits, as Google's key ids are. */
  kid: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

const pairs = new Map<string, KeyPair>();

/** A new RSA key pair of 2048 bits. */
export function makeKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return { kid, publicKey, privateKey };
}

/**
 * The content of a key file for `email`. The same e-mail gives the same key within a process, because making
 * one takes up to a second; another `version` gives the key that a rotation would bring.
 */
export function makeServiceAccountKey(options: {
  email: string;
  /** Where to post the signed JWT: the simulator's `tokenUrl`. */
  tokenUri: string;
  project?: string;
  version?: number;
}): ServiceAccountKey {
  const { email, tokenUri, project = 'my-project', version = 1 } = options;
  const name = `${email} ${version}`;
  const pair = pairs.get(name) ?? makeKeyPair();
  pairs.set(name, pair);
  const { origin } = new URL(tokenUri);
  return {
    type: 'service_account',
    project_id: project,
    private_key_id: pair.kid,
    private_key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    client_email: email,
    client_id: uniqueId(email),
    auth_uri: `${origin}/o/oauth2/auth`,
    token_uri: tokenUri,
    auth_provider_x509_cert_url: `${origin}/oauth2/v1/certs`,
    client_x509_cert_url: `${origin}/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
    universe_domain: 'googleapis.com',
  };
}

/** The number that Google gives an account: 21 digits, too many for a JavaScript number. */
export function uniqueId(email: string): string {
  const digest = createHash('sha256').update(email).digest().readBigUInt64BE();
  return `1${digest.toString().padStart(20, '0')}`;
}
