/**
 * MikroTik RouterOS over ssh: the password of a user. It is saved immediately, and no export has it, so that a restored
 * configuration does not change it.
 *
 * Verified with: its simulator only.
 * Source: help.mikrotik.com, "User" (`/user set`), "Configuration Management" (what an export leaves out).
 */
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Accounts } from '../contract/accounts.ts';
import { typed } from '../families/command-line/accounts.ts';
import { openExecOf } from '../families/command-line/session.ts';
import { passwordAccounts } from '../families/password-accounts.ts';

export const accounts: Accounts = {
  ...passwordAccounts(async (device, access, signal) => {
    const { username = 'admin' } = await access.credentials();
    // `admin+ct` has console options after the name.
    const user = username.replace(/\+.*$|[^\w.@-]/g, '');
    const { name } = device;
    const session = await openExecOf(device, access, signal);
    return {
      async setPassword(password) {
        const command = `/user set [find name="${user}"] password="${typed(name, password)}"`;
        const { stdout, stderr } = await session.exec(command, { signal, timeoutMs: 30_000 });
        const said = `${stdout}${stderr}`.trim();
        if (said !== '')
          throw new DeviceRejected(name, `the password was not changed: ${said.slice(0, 200)}`);
      },
      close: () => session.close(),
    };
  }),
  transports: ['ssh'],
};
