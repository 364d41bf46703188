/** Accounts of a Linux host with a shell behind ssh: a user's password, passed on standard input, and its keys. */
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Accounts } from '../../contract/accounts.ts';
import { openExecOf } from '../command-line/session.ts';
import { addKey, removeKey } from './authorized-keys.ts';

interface ShellAccounts {
  /** Sets a user's password, from standard input. */
  command(user: string): string;
  input(user: string, password: string): string;
  /** Path of authorized_keys, for a shell. */
  keyFolder: string;
}

/** Debian's and most others: as root, or by `sudo -n`. */
export const linuxAccounts: ShellAccounts = {
  command: () => 'if [ "$(id -u)" = 0 ]; then chpasswd; else sudo -n chpasswd; fi && sync',
  input: (user, password) => `${user}:${password}\n`,
  keyFolder: '~/.ssh',
};

export function shellAccounts({ command, input, keyFolder: folder }: ShellAccounts): Accounts {
  return {
    parts: ['password'],
    hasKeys: true,
    async open(device, access, signal) {
      const { username = 'root' } = await access.credentials();
      const session = await openExecOf(device, access, signal);
      const { name } = device;
      return {
        async set({ password }) {
          if (password === undefined) return;
          const { status, stderr } = await session.execBytes(command(username), {
            signal,
            timeoutMs: 30_000,
            input: Buffer.from(input(username, password.reveal())),
          });
          if (status === 0) return;
          const why = stderr.trim().split('\n').at(-1) || `exit status ${status}`;
          throw new DeviceRejected(name, `the password of ${username} was not changed: ${why}`);
        },
        addKey: (key, comment) => addKey(session, name, { key, comment, folder }, signal),
        removeKey: (keys) => removeKey(session, name, { ...keys, folder }, signal),
        // Files are saved when they are written.
        async save() {},
        close: () => session.close(),
      };
    },
  };
}
