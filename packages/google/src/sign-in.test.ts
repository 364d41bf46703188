import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { expect, it, onTestFinished } from 'vitest';
import { keyFileSignIn } from './sign-in.ts';

/** Where tokens are exchanged. */
async function startExchange(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/token`;
}

/** Credentials that have to be exchanged for a token. */
async function keyFor(url: string): Promise<Secret> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-key-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const key = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: url,
    credential_source: { file: join(dir, 'subject') },
  };
  await writeFile(join(dir, 'subject'), 'subject');
  return new Secret(JSON.stringify(key));
}

it('gives up where a token is not answered for, and asks anew the next time', async () => {
  let asked = 0;
  const url = await startExchange((response) => {
    asked += 1;
    if (asked === 1) return;
    const token = { access_token: 'second', issued_token_type: 'x', token_type: 'Bearer' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...token, expires_in: 3600 }));
  });
  const key = await keyFor(url);
  const signedIn = keyFileSignIn('key.json', async () => key, { scopes: ['a'], withinMs: 1000 });

  await expect(signedIn.headers()).rejects.toMatchObject({
    code: 'unreachable',
    detail: 'TIMEOUT',
  });
  expect((await signedIn.headers()).get('authorization')).toBe('Bearer second');
});

it('says once what to do about a broken key', async () => {
  const key = new Secret('{"type":"service_account"}');
  const signedIn = keyFileSignIn('key.json', async () => key, { scopes: ['a'] });

  for (const failing of [signedIn.headers(), signedIn.project()]) {
    const error = await failing.catch(errorText);
    expect(error).toMatch(/^key\.json: client_email is .*; replace it with a valid key$/);
    expect(String(error).match(/replace/g)).toHaveLength(1);
  }
});
