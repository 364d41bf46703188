/** The accounts that callers act as, and which scopes a token gets: each is an identity of rack.yaml together with its credentials. */
import { errorText, sha256 } from '@skolo/base';
import { type TokenSource, tokenSource } from '@skolo/google';
import type { Identity, Rack } from '@skolo/rack';

export interface Account {
  /** Same account and credentials, same key: tokens are stored under it. */
  key: string;
  identity: Identity;
  source: TokenSource;
  /** That of rack.yaml, or else of the credentials; undefined while these cannot be read. */
  email: string | undefined;
  /** That of the credentials alone. */
  owner?: string | undefined;
  /** Why its credentials cannot be read. This disables only this identity. */
  unreadable?: string;
  /** rack.yaml gives it a different e-mail address than its credentials. */
  otherEmail?: string;
}

export type Accounts = ReadonlyMap<string, Account>;

/** One account for each identity. Reads the credential files for the e-mail addresses. `now`: wall clock, milliseconds. */
export async function openAccounts(rack: Rack, now: () => number): Promise<Accounts> {
  const accounts = await Promise.all(
    [...rack.identities.values()].map(async (identity): Promise<Account> => {
      const source = await tokenSource(identity.credentials, { dir: rack.dir, now });
      const email = await emailOf(identity, source);
      return { key: accountKey(rack, identity), identity, source, ...email };
    }),
  );
  return new Map(accounts.map((account) => [account.identity.name, account]));
}

/** The credentials' own address is requested even if rack.yaml gives one, to show that they can be read. */
async function emailOf(
  { email: written }: Identity,
  source: TokenSource,
): Promise<Pick<Account, 'email' | 'owner' | 'unreadable' | 'otherEmail'>> {
  try {
    const email = await source.email();
    if (written === undefined || email === undefined || email === written) {
      return { email: written ?? email, owner: email };
    }
    const otherEmail = `rack.yaml specifies ${written}, but the credentials belong to ${email}; fix one of them`;
    return { email: written, owner: email, otherEmail };
  } catch (error) {
    return { email: written, unreadable: errorText(error) };
  }
}

/** A digest, because it is written to the file of saved tokens. */
function accountKey(rack: Rack, { name, credentials }: Identity): string {
  return sha256(JSON.stringify([rack.dir, name, credentials]));
}

/**
 * The scopes of a token for a caller that requested `asked`: never more than the identity has. Clients send scopes routinely, and Google's
 * server does not fail on unknown ones; so scopes that the identity does not have are omitted, and if none are left the caller gets the
 * identity's usual token.
 */
export function grantedScopes(identity: Identity, asked: readonly string[]): readonly string[] {
  if (asked.length === 0) return identity.scopes;
  const granted = identity.scopes.filter((scope) => asked.includes(scope));
  return granted.length > 0 ? granted : identity.scopes;
}
