import { oauthError } from './rejection.ts';

/** Space-separated, as RFC 6749 section 3.3 has it. */
export function splitScopes(text: string | null | undefined): string[] {
  return [...new Set((text ?? '').split(' ').filter((scope) => scope !== ''))];
}

/** Rejects what cannot be a scope of Google's: https://developers.google.com/identity/protocols/oauth2/scopes */
export function checkScopes(scopes: string[]): void {
  for (const scope of scopes) {
    if (!/^(openid|email|profile|https:\/\/[a-z.]+\/[\w./-]*)$/.test(scope)) {
      throw oauthError('invalid_scope', `${scope} is not a valid audience string.`);
    }
  }
}
