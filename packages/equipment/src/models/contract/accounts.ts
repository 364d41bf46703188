/**
 * The contract of accounts: how a login's password or key is changed on the device, and how the change is saved. The caller decides which
 * value is next, in which order devices change, and what is verified in between.
 */

import type { Secret } from '@skolo/base/secrets';
import type { Access, Dial } from '@skolo/equipment/transports';
import type { Device } from './device.ts';

/** The part of a login to change. */
export type AccountPart = 'password' | 'enablePassword' | SnmpPart;
type SnmpPart = 'snmp.community' | 'snmp.authKey' | 'snmp.privKey';

/** What a model exports as `accounts`. */
export interface Accounts {
  /** Passwords that it can change. */
  parts: readonly AccountPart[];
  /** Supported transports; absent: all of its model. */
  transports?: readonly Device['transport'][];
  /** It can also add and remove ssh keys. */
  hasKeys?: true;
  /**
   * Signs in. A session opens only if the device accepts the login, so this also verifies a password.
   *
   * @throws DeviceError SignInRejected among others
   */
  open(device: Device, access: AccountAccess, signal: AbortSignal): Promise<AccountSession>;
}

export interface AccountAccess extends Access {
  /** Connects in another way than through this computer's own network. */
  dial?: Dial;
}

export interface AccountSession {
  /**
   * Sets new passwords of the login's user. They are active, but may not be saved yet.
   *
   * @throws DeviceError
   */
  set(values: Readonly<Partial<Record<AccountPart, Secret>>>): Promise<void>;
  /** Lets an ssh key sign in: `ssh-ed25519 AAAA…`. It may already exist. */
  addKey?(key: string, comment: string): Promise<void>;
  /** Removes a key, if `kept` can sign in. */
  removeKey?(keys: { key: string; kept: string }): Promise<void>;
  /**
   * Saves the active configuration for the next boot, and checks the answer. Does nothing on a device without a separate saved
   * configuration.
   */
  save(): Promise<void>;
  /** Never throws. */
  close(): Promise<void>;
}
