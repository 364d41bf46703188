import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { credentialFileFault } from './credential-file.ts';

const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
const pem = rsa.export({ type: 'pkcs8', format: 'pem' });
const key = { type: 'service_account', client_email: 'a@b', private_key: pem };
const account = {
  type: 'external_account',
  audience: 'a',
  subject_token_type: 'jwt',
  token_url: 'https://sts.example.com',
  credential_source: { file: '/token' },
};

it.each([
  ['serviceAccountKey', JSON.stringify(key), undefined],
  ['serviceAccountKey', 'canary', 'not a JSON object; expected a file of type service_account'],
  [
    'serviceAccountKey',
    '{"type": "canary"}',
    'not a Google credentials file; expected a file of type service_account',
  ],
  [
    'refreshToken',
    JSON.stringify(key),
    'is of type service_account, which belongs in serviceAccountKey; expected a file of type authorized_user',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, client_email: '' }),
    'client_email is missing or invalid',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, private_key: 'canary' }),
    'private_key is not an RSA key in PEM form',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, private_key: ed25519.export({ type: 'pkcs8', format: 'pem' }) }),
    'private_key is not an RSA key in PEM form',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, token_uri: 'http://canary.example.com/token' }),
    'token_uri must be an https address (http only on loopback)',
  ],
  ['externalAccount', JSON.stringify(account), undefined],
  [
    'externalAccount',
    JSON.stringify({ ...account, token_url: 'http://canary.example.com' }),
    'token_url must be an https address (http only on loopback)',
  ],
  [
    'externalAccount',
    JSON.stringify({ ...account, credential_source: { executable: { command: 'canary' } } }),
    'credential_source.executable is not supported; use file or url',
  ],
  ['fixed', 'canary', undefined],
  ['fixed', '{"access_token": "canary"}', undefined],
  ['fixed', 'canary canary', 'must contain only a token on one line'],
  [
    'fixed',
    '{"canary": 1}',
    'expected a token on one line, or JSON with access_token and optionally expiry (RFC 3339)',
  ],
] as const)('%s: %s', (kind, content, fault) => {
  expect(credentialFileFault(kind, content)).toBe(fault);
});
