/** Accounts with one password, which the device saves as soon as it is set. */
import type { Secret } from '@skolo/base/secrets';
import type { AccountAccess, AccountSession, Accounts } from '../contract/accounts.ts';
import type { Device } from '../contract/device.ts';

interface PasswordSession extends Partial<Pick<AccountSession, 'close'>> {
  /** @throws DeviceError */
  setPassword(password: Secret): Promise<void>;
}

/** @param signIn opens a session only if the device accepts the login */
export function passwordAccounts(
  signIn: (device: Device, access: AccountAccess, signal: AbortSignal) => Promise<PasswordSession>,
): Accounts {
  return {
    parts: ['password'],
    async open(device, access, signal) {
      const { setPassword, close = async () => undefined } = await signIn(device, access, signal);
      return {
        async set({ password }) {
          if (password !== undefined) await setPassword(password);
        },
        async save() {},
        close,
      };
    },
  };
}
