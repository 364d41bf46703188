/**
 * The contract of accounts: how the password or key of a login is changed on the device, and how the change is
 * saved. Which value is next, in which order devices change, and what is verified in between is decided by the caller.
 */
import type { Access, Dial } from '@skolo/equipment';
import type { Secret } from '@skolo/secrets';
import type { Device } from './device.ts';

/** What of a login is changed. */
export type AccountPart = 'password' | 'enablePassword' | SnmpPart;
type SnmpPart = 'snmp.community' | 'snmp.authKey' | 'snmp.privKey';

/** What a model exports as `accounts`. */
export interface Accounts {
  /** Passwords that it can change. */
  parts: readonly AccountPart[];
  /** Ways to speak to it; absent: all of its model. */
  transports?: readonly Device['transport'][];
  /** It can also add and remove ssh keys. */
  hasKeys?: true;
  /**
   * Signs in. A login that the device accepts opens a session, so this verifies a password as well.
   *
   * @throws DeviceError SignInRejected among others
   */
  open(device: Device, access: AccountAccess, signal: AbortSignal): Promise<AccountSession>;
}

export interface AccountAccess extends Access {
  /** By another way than this computer's own network. */
  dial?: Dial;
}

export interface AccountSession {
  /**
   * Sets new passwords of the user of this login. They are in force, and may not be saved yet.
   *
   * @throws DeviceError
   */
  set(values: Readonly<Partial<Record<AccountPart, Secret>>>): Promise<void>;
  /** Lets an ssh key sign in: `ssh-ed25519 AAAA…`. It may be there already. */
  addKey?(key: string, comment: string): Promise<void>;
  /** Removes a key, if `kept` may sign in. */
  removeKey?(keys: { key: string; kept: string }): Promise<void>;
  /** What is in force is what it boots with, seen from its answer. A device without a saved configuration of its own does nothing. */
  save(): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}
