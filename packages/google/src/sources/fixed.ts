/**
 * A token in a file, for development: the token itself on one line, or JSON
 * `{"access_token": "…", "expiry": "2026-11-20T08:00:00Z", "id_token": "…", "email": "…"}`, or the answer of a
 * token endpoint, whose `expires_in` counts from when the file was written. Whoever writes the file
 * renews it; it is read again at each renewal.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseJson } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import { credentialFileFault, FixedToken } from '../credential-file.ts';
import { SignInError } from '../sign-in-error.ts';
import { tokenLife } from '../token-life.ts';
import { timesOfJwt } from './jwt.ts';
import type { IssuedToken, TokenSource } from './source.ts';

/** The lifetime of a token whose file does not contain an expiry. */
const assumedLife = 3600;

export function fixedToken(
  file: string,
  { dir, now }: { dir: string; now: () => number },
): TokenSource {
  async function read(): Promise<FixedToken> {
    const content = (await readSecret({ dir }, { file })).reveal();
    if (!content.trimStart().startsWith('{')) return { access_token: content.trim() };
    const parsed = FixedToken.safeParse(parseJson(content));
    if (parsed.success) return parsed.data;
    throw new SignInError('rejected', `${file}: ${credentialFileFault('fixed', content)}`);
  }

  /** Milliseconds since 1970. */
  async function expiryOf({ expiry, expires_in: seconds }: FixedToken): Promise<number> {
    if (expiry !== undefined) return Date.parse(expiry);
    if (seconds === undefined) return now() + assumedLife * 1000;
    return (await stat(resolve(dir, file))).mtimeMs + seconds * 1000;
  }

  function issued(token: string, expiresAt: number): IssuedToken {
    const left = (expiresAt - now()) / 1000;
    if (left > 0) return { token, lifeSeconds: tokenLife(left, file) };
    const when = new Date(expiresAt).toISOString();
    throw new SignInError('rejected', `${file}: the token expired at ${when}; save a new one`);
  }

  return {
    files: [file],
    email: async () => (await read()).email,
    async accessToken() {
      const fixed = await read();
      return issued(fixed.access_token, await expiryOf(fixed));
    },
    async idToken() {
      const { id_token: token } = await read();
      if (!token) throw new SignInError('rejected', `${file} does not contain id_token`);
      return issued(token, timesOfJwt(token).exp * 1000);
    },
  };
}
