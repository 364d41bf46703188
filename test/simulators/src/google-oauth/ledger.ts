import { randomBytes } from 'node:crypto';

/** One token that was handed out. */
export interface IssuedToken {
  token: string;
  kind: 'access' | 'id';
  /** The e-mail, or the `principal://…` of a federated workload. */
  account: string;
  scopes: string[];
  /** Of an ID token. */
  audience?: string;
  issuedAt: Date;
  expiresAt: Date;
}

/** Every token that was issued, and whether it is still good. */
export class Ledger {
  readonly issued: IssuedToken[] = [];
  private readonly byToken = new Map<string, IssuedToken>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  record(token: Omit<IssuedToken, 'issuedAt'>): IssuedToken {
    const entry = { ...token, issuedAt: new Date(this.now()) };
    this.issued.push(entry);
    this.byToken.set(entry.token, entry);
    return entry;
  }

  /** The entry of a token that is good at this moment. */
  valid(token: string): IssuedToken | undefined {
    const entry = this.byToken.get(token);
    return entry && entry.expiresAt.getTime() > this.now() ? entry : undefined;
  }
}

/**
 * Random text in the form of Google's access tokens: service accounts get `ya29.c.`, filled up with dots to
 * 1024 characters; people `ya29.a0`, federated workloads `ya29.d.`.
 */
export function newAccessToken(kind: 'service-account' | 'user' | 'federated'): string {
  const random = randomBytes(160).toString('base64url');
  if (kind === 'user') return `ya29.a0${random}`;
  if (kind === 'federated') return `ya29.d.${random}`;
  return `ya29.c.${random}`.padEnd(1024, '.');
}
