import { expect, it } from 'vitest';
import { credentialFileFault } from './credential-file.ts';

const key = { type: 'service_account', client_email: 'a@b', private_key: 'canary' };

it.each([
  ['serviceAccountKey', JSON.stringify(key), undefined],
  [
    'serviceAccountKey',
    'canary',
    'not a JSON object; serviceAccountKey needs a file of type service_account',
  ],
  [
    'serviceAccountKey',
    '{"type": "canary"}',
    'not a credential file of Google; serviceAccountKey needs a file of type service_account',
  ],
  [
    'refreshToken',
    JSON.stringify(key),
    'is of type service_account, which belongs under serviceAccountKey; refreshToken needs a file of type authorized_user',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, client_email: '' }),
    'has no valid client_email; is it complete?',
  ],
  ['fixed', 'canary', undefined],
  ['fixed', '{"access_token": "canary"}', undefined],
  ['fixed', 'canary canary', 'more than a token on one line'],
  [
    'fixed',
    '{"canary": 1}',
    'expected a token on one line, or JSON with access_token and perhaps expiry (RFC 3339)',
  ],
] as const)('%s: %s', (kind, content, fault) => {
  expect(credentialFileFault(kind, content)).toBe(fault);
});
