import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { credentialFaults } from './credential-faults.ts';
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

const sources = [
  [
    {},
    'credential_source must contain either file or url; executable and other kinds are not supported',
  ],
  [
    { file: '/a', url: 'https://b' },
    'credential_source must contain either file or url; executable and other kinds are not supported',
  ],
  [{ file: '' }, 'credential_source.file is missing or invalid'],
  [
    { url: 'http://169.254.169.254/canary' },
    'credential_source.url must be an https address (http only on loopback)',
  ],
  [{ file: '/a', format: { type: 'json' } }, 'credential_source.format is missing or invalid'],
  [
    { file: '/a', certificate: {} },
    'credential_source must contain either file or url; executable and other kinds are not supported',
  ],
] as const;

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
    'credential_source must contain either file or url; executable and other kinds are not supported',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, private_key: String(pem).replaceAll('\n', '\\n') }),
    'private_key contains \\n as text instead of line breaks: it was escaped twice; save the original file again',
  ],
  [
    'serviceAccountKey',
    JSON.stringify({ ...key, client_email: 'canary canary' }),
    'client_email is missing or invalid',
  ],
  ...sources.map(([source, fault]) => {
    return ['externalAccount', JSON.stringify({ ...account, credential_source: source }), fault];
  }),
  ['fixed', 'canary', undefined],
  ['fixed', '{"access_token": "canary"}', undefined],
  ['fixed', 'canary canary', 'must contain only a token on one line'],
  [
    'fixed',
    '{"canary": 1}',
    'expected a token on one line, or JSON with access_token and optionally expiry (RFC 3339)',
  ],
] as [Parameters<typeof credentialFileFault>[0], string, string | undefined][])(
  '%s: %s',
  (kind, content, fault) => {
    expect(credentialFileFault(kind, content)).toBe(fault);
  },
);

it('reports a subject token that cannot be read, even from a named pipe', async () => {
  const dir = await tempDir();
  const file = join(dir, 'subject');
  const credential_source = { file, format: { type: 'json', subject_token_field_name: 'jwt' } };
  await writeFile(join(dir, 'key'), JSON.stringify({ ...account, credential_source }));
  const secrets = [{ path: ['externalAccount'], ref: { file: 'key' } }];
  const faults = async () =>
    (await credentialFaults({ dir }, secrets)).map(({ message }) => message);
  const begin = `${join(dir, 'key')}: credential_source.file: ${file}`;

  expect(await faults()).toEqual([expect.stringContaining(`${begin}: no such file`)]);
  await writeFile(file, '{"other": "canary"}');
  expect(await faults()).toEqual([`${begin}: the field jwt of credential_source is missing`]);
  await writeFile(file, '\uFEFF{"jwt": "canary"}\r\n');
  expect(await faults()).toEqual([]);
  await run('sh', ['-c', 'rm "$1" && mkfifo "$1"', '-', file]);
  expect(await faults()).toEqual([expect.stringContaining(`${begin}: not a regular file`)]);
});
