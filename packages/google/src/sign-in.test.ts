import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { keyFileSignIn, metadataSignIn } from './sign-in.ts';

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
  const signedIn = keyFileSignIn('key.json', async () => key, { scopes: ['a'], withinMs: 4000 });

  await expect(signedIn.headers()).rejects.toMatchObject({
    code: 'unreachable',
    detail: 'TIMEOUT',
  });
  expect((await signedIn.headers()).get('authorization')).toBe('Bearer second');
});

describe.each([
  ['a metadata server', (url: string) => async () => metadataSignIn(url)],
  [
    'a key file',
    (url: string) => {
      return async () => {
        const key = await keyFor(url);
        return keyFileSignIn('key.json', async () => key, { scopes: ['a'] });
      };
    },
  ],
] as const)('a token of %s', (_, signInAt) => {
  async function start(expires_in: unknown) {
    const state = { asked: 0, expires_in };
    const url = await startExchange((response) => {
      state.asked += 1;
      response.setHeader('metadata-flavor', 'Google');
      response.setHeader('content-type', 'application/json');
      const access_token = `token-${state.asked}`;
      const others = { issued_token_type: 'x', token_type: 'Bearer' };
      response.end(JSON.stringify({ access_token, ...others, expires_in: state.expires_in }));
    });
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    const signIn = await signInAt(url)();
    const token = async () => (await signIn.headers()).get('authorization');
    return { state, token };
  }

  it.each([60, '90', 270])('of %j seconds is renewed every 30 s at most', async (life) => {
    const { state, token } = await start(life);
    for (let second = 0; second < 300; second += 5) {
      await token();
      vi.advanceTimersByTime(5000);
    }
    expect(state.asked).toBeLessThanOrEqual(10);
    expect(state.asked).toBeGreaterThan(1);
  });

  it.each([59, '1', -1, 'never', undefined])('of %j seconds is a failure', async (life) => {
    const { token } = await start(life);
    await expect(token()).rejects.toThrow(/at least 60 s|not a number/);
  });

  it.each(['monotonic', 'wall'])(
    'is renewed when only the %s clock says that it has expired',
    async (clock) => {
      const { token } = await start(3600);
      expect(await token()).toBe('Bearer token-1');
      const before = Date.now();
      if (clock === 'wall') vi.setSystemTime(before + 7_200_000);
      else {
        vi.advanceTimersByTime(7_200_000);
        vi.setSystemTime(before - 1000);
      }
      expect(await token()).toBe('Bearer token-2');
    },
  );
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
