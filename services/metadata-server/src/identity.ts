/** Which account does a caller act as? An identity of rack.yaml together with its credentials. */
import { createHash } from 'node:crypto';
import { type TokenSource, tokenSource } from '@skolo/google';
import type { Identity, Rack } from '@skolo/rack';

export interface Account {
  /** Same account and credentials, same key: tokens are kept by it. */
  key: string;
  identity: Identity;
  source: TokenSource;
  /** That of rack.yaml, else of the credentials; undefined while these cannot be read. */
  email: string | undefined;
}

export type Accounts = ReadonlyMap<string, Account>;

export interface AccountDeps {
  /** Wall clock, in milliseconds. */
  now: () => number;
  /** A secret that cannot be read takes away its identity, and nothing else. */
  onUnreadable: (identity: string, error: unknown) => void;
  /** rack.yaml gives an identity the e-mail address of somebody else than its credentials. */
  onOtherEmail: (identity: string, why: string) => void;
}

/** One account for each identity. Reads the credential files for the e-mail addresses. */
export async function openAccounts(rack: Rack, deps: AccountDeps): Promise<Accounts> {
  const accounts = await Promise.all(
    [...rack.identities.values()].map(async (identity): Promise<[string, Account]> => {
      const source = await tokenSource(identity.credentials, { dir: rack.dir, now: deps.now });
      const email = await emailOf(identity, source, deps);
      return [identity.name, { key: accountKey(rack, identity), identity, source, email }];
    }),
  );
  return new Map(accounts);
}

/** The credentials' own address is asked for even where rack.yaml gives one: it shows that they can be read. */
async function emailOf(
  identity: Identity,
  source: TokenSource,
  { onUnreadable, onOtherEmail }: AccountDeps,
): Promise<string | undefined> {
  try {
    const email = await source.email();
    if (identity.email !== undefined && email !== undefined && email !== identity.email) {
      const why = `rack.yaml says ${identity.email}, but the credentials are those of ${email}; correct one of them`;
      onOtherEmail(identity.name, why);
    }
    return identity.email ?? email;
  } catch (error) {
    onUnreadable(identity.name, error);
    return identity.email;
  }
}

/** A digest, because it is written to the hand-over file. */
function accountKey(rack: Rack, { name, credentials }: Identity): string {
  return createHash('sha256')
    .update(JSON.stringify([rack.dir, name, credentials]))
    .digest('hex');
}

/**
 * The scopes of a token for a caller that asked for `asked`: never more than the identity has. Clients
 * send scopes as a matter of course, and Google's server does not fail on others; so what the identity
 * does not have is left out, and where nothing is left the caller gets the identity's usual token.
 */
export function grantedScopes(identity: Identity, asked: readonly string[]): readonly string[] {
  if (asked.length === 0) return identity.scopes;
  const granted = identity.scopes.filter((scope) => asked.includes(scope));
  return granted.length > 0 ? granted : identity.scopes;
}
