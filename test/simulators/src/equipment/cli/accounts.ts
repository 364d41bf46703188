import ssh2 from 'ssh2';
import type { Faults } from '../device.ts';

export interface Account {
  username: string;
  /** Absent: every password is wrong. */
  password?: string;
  /** Public keys that may sign in, as in an authorized_keys file. */
  authorizedKeys?: readonly string[];
}

interface AccountsOptions {
  plainName?(login: string): string;
  /** Whether a password is right, where it can change. Undefined: as set by the test. */
  opens?(user: string, password: string): boolean | undefined;
}

/** Who may sign in. Some devices read settings from a suffix of the name (`admin+ct200w`); `plainName` removes it. */
export class Accounts {
  private readonly account: Account;
  private readonly faults: Faults;
  private readonly plainName: (login: string) => string;
  private readonly opens: AccountsOptions['opens'];

  constructor(
    account: Account,
    faults: Faults,
    { plainName = (login) => login, opens }: AccountsOptions = {},
  ) {
    this.account = account;
    this.faults = faults;
    this.plainName = plainName;
    this.opens = opens;
  }

  passwordIsRight(user: string, password: string): boolean {
    if (!this.knows(user)) return false;
    const isRight = this.opens?.(this.plainName(user), password);
    return isRight ?? password === this.account.password;
  }

  /** The key is known; this does not prove that the client has it. */
  keyIsKnown(user: string, blob: Buffer): boolean {
    return this.keyOf(user, blob) !== undefined;
  }

  signatureIsRight(
    user: string,
    {
      blob,
      data,
      signature,
      hash,
    }: { blob: Buffer; data: Buffer; signature: Buffer; hash?: string },
  ): boolean {
    return this.keyOf(user, blob)?.verify(data, signature, hash) === true;
  }

  private knows(user: string): boolean {
    return !this.faults.has('rejects-login') && this.plainName(user) === this.account.username;
  }

  private keyOf(user: string, blob: Buffer): ssh2.ParsedKey | undefined {
    if (!this.knows(user)) return undefined;
    for (const text of this.account.authorizedKeys ?? []) {
      const key = ssh2.utils.parseKey(text);
      if (key instanceof Error) throw key;
      if (key.getPublicSSH().equals(blob)) return key;
    }
    return undefined;
  }
}
