/**
 * A token in a file, for development: the token itself on one line, or JSON
 * `{"access_token": "…", "expiry": "2026-11-20T08:00:00Z", "id_token": "…", "email": "…"}`.
 * Whoever writes the file keeps it fresh; it is read again at each renewal.
 */
import { readSecret } from '@skolo/rack';
import { z } from 'zod';
import { lifeOfJwt } from './jwt.ts';
import { type SourceDeps, type TokenSource, UpstreamError } from './source.ts';

const FixedToken = z.looseObject({
  access_token: z.string().min(1),
  expiry: z.iso.datetime({ offset: true }).optional(),
  id_token: z.string().optional(),
  email: z.string().optional(),
});
type FixedToken = z.infer<typeof FixedToken>;

/** What is said of a token whose file gives no expiry. */
const assumedLife = 3600;

export function fixedToken(file: string, { dir, now }: SourceDeps): TokenSource {
  async function read(): Promise<FixedToken> {
    const content = (await readSecret({ dir }, file)).reveal();
    if (!content.trimStart().startsWith('{')) return { access_token: content.trim() };
    try {
      return FixedToken.parse(JSON.parse(content));
    } catch {
      const expected =
        'a token on one line, or JSON with access_token and perhaps expiry (RFC 3339)';
      throw new UpstreamError('refused', `${file}: expected ${expected}`);
    }
  }

  return {
    files: [file],
    email: async () => (await read()).email,
    async accessToken() {
      const { access_token: token, expiry } = await read();
      if (!expiry) return { token, lifeSeconds: assumedLife };
      const lifeSeconds = (Date.parse(expiry) - now()) / 1000;
      if (lifeSeconds > 0) return { token, lifeSeconds };
      throw new UpstreamError('refused', `${file}: the token expired at ${expiry}`);
    },
    async idToken() {
      const { id_token: token } = await read();
      if (!token) throw new UpstreamError('refused', `${file}: holds no id_token`);
      return { token, lifeSeconds: lifeOfJwt(token) };
    },
  };
}
