/**
 * MikroTik RouterOS over ssh: the password of a user. It is saved immediately, and no export has it, so that a restored
 * configuration does not change it.
 *
 * Verified with: its simulator only.
 * Source: help.mikrotik.com, "User" (`/user set`), "Configuration Management" (what an export leaves out).
 */
import { DeviceRejected, openExec, targetOf } from '@skolo/equipment';
import type { Accounts } from '../contract/accounts.ts';

export const accounts: Accounts = {
  parts: ['password'],
  transports: ['ssh'],
  async open(device, access, signal) {
    const target = await targetOf(device, access, 'ssh');
    // `admin+ct` has console options after the name.
    const user = (target.credentials.username ?? 'admin').replace(/\+.*$/, '');
    const session = await openExec(target, access, signal);
    return {
      async set({ password }) {
        if (password === undefined) return;
        const value = password.reveal();
        if (!/^[\w.,:;=@%+/-]+$/.test(`${user}${value}`)) {
          throw new DeviceRejected(
            device.name,
            'the new value contains characters that the console would interpret',
          );
        }
        const command = `/user set [find name="${user}"] password="${value}"`;
        const { stdout, stderr } = await session.exec(command, { signal, timeoutMs: 30_000 });
        const said = `${stdout}${stderr}`.trim();
        if (said !== '')
          throw new DeviceRejected(
            device.name,
            `the password was not changed: ${said.slice(0, 200)}`,
          );
      },
      async save() {},
      close: () => session.close(),
    };
  },
};
