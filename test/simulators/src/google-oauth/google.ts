import { Accounts } from './accounts.ts';
import { Ledger, newAccessToken } from './ledger.ts';
import { uniqueId } from './service-account-key.ts';
import { SigningKeys } from './signing-keys.ts';

/** What every endpoint works on. */
export class Google {
  readonly accounts = new Accounts();
  readonly ledger: Ledger;
  readonly signingKeys: SigningKeys;
  readonly now: () => number;
  /** Of access tokens. */
  tokenLifeSeconds = 3599;
  /** The audience that a signed JWT must name; known once the server listens. */
  tokenUrl = '';

  constructor(now: () => number) {
    this.now = now;
    this.ledger = new Ledger(this.now);
    this.signingKeys = new SigningKeys(this.now);
  }

  /** A new access token, on the books. */
  issueAccessToken(grant: {
    account: string;
    scopes: string[];
    kind: 'service-account' | 'user' | 'federated';
    lifeSeconds?: number;
  }): { token: string; lifeSeconds: number; expiresAt: Date } {
    const lifeSeconds = grant.lifeSeconds ?? this.tokenLifeSeconds;
    const { token, expiresAt } = this.ledger.record({
      token: newAccessToken(grant.kind),
      kind: 'access',
      account: grant.account,
      scopes: grant.scopes,
      expiresAt: new Date(this.now() + lifeSeconds * 1000),
    });
    return { token, lifeSeconds, expiresAt };
  }

  /** A new ID token of an hour, on the books: https://developers.google.com/identity/openid-connect/openid-connect */
  issueIdToken(grant: {
    email: string;
    audience: string;
    azp?: string;
    withEmail: boolean;
  }): string {
    const iat = Math.floor(this.now() / 1000);
    const exp = iat + 3600;
    const sub = uniqueId(grant.email);
    const token = this.signingKeys.sign({
      aud: grant.audience,
      azp: grant.azp ?? sub,
      ...(grant.withEmail && { email: grant.email, email_verified: true }),
      exp,
      iat,
      iss: 'https://accounts.google.com',
      sub,
    });
    this.ledger.record({
      token,
      kind: 'id',
      account: grant.email,
      scopes: [],
      audience: grant.audience,
      expiresAt: new Date(exp * 1000),
    });
    return token;
  }

  /** Whether an API of Google's would take the token now, for `scope` where given. */
  isValid(token: string, scope?: string): boolean {
    const entry = this.ledger.valid(token);
    if (!entry || this.accounts.isDisabled(entry.account)) return false;
    return scope === undefined || entry.scopes.includes(scope);
  }
}
