/**
 * The accounts that callers act as, and which scopes a token gets: each is an identity of rack.yaml together with its credentials, whose
 * files are watched by their stamps.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorText, sha256 } from '@skolo/base';
import { fileStamp } from '@skolo/base/secrets';
import { type TokenSource, tokenSource } from '@skolo/google';
import type { Identity, Rack } from '@skolo/rack';

export interface Account {
  /** Same account and credentials, same key: tokens are stored under it. */
  key: string;
  identity: Identity;
  source: TokenSource;
  /** Changes when a file of its credentials is written, replaced, or gets other permissions. */
  stamp: string;
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
      // Before the content, so that a later change is one.
      const stamp = await stampOf(source, rack.dir);
      const email = await emailOf(identity, source);
      return { key: accountKey(rack, identity), identity, source, stamp, ...email };
    }),
  );
  return new Map(accounts.map((account) => [account.identity.name, account]));
}

/** Whether credentials have changed since they were read. */
export async function haveChanged(accounts: Accounts, dir: string): Promise<boolean> {
  const changes = [...accounts.values()].map(
    async ({ source, stamp }) => stamp !== (await stampOf(source, dir)),
  );
  return (await Promise.all(changes)).includes(true);
}

async function stampOf({ files }: TokenSource, dir: string): Promise<string> {
  const stamps = files.map(async (file) => {
    const found = await stat(resolve(dir, file), { bigint: true }).catch(() => undefined);
    return found ? fileStamp(found) : 'missing';
  });
  return (await Promise.all(stamps)).join('\n');
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
