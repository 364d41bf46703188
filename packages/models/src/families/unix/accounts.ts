/** Accounts of a Linux host with a shell behind ssh: a user's password, passed on standard input, and its keys. */
import { DeviceRejected, type ExecSession, openExec, targetOf } from '@skolo/equipment';
import type { Secret } from '@skolo/secrets';
import type { Accounts } from '../../contract/accounts.ts';
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
      const target = await targetOf(device, access, 'ssh');
      const session = await openExec(target, access, signal);
      const { name } = device;
      const { username = 'root' } = target.credentials;
      return {
        async set({ password }) {
          if (password !== undefined) await setPassword(session, username, password);
        },
        addKey: (key, comment) => addKey(session, name, { key, comment, folder }, signal),
        removeKey: (keys) => removeKey(session, name, { ...keys, folder }, signal),
        // Files are saved when they are written.
        async save() {},
        close: () => session.close(),
      };

      async function setPassword(exec: ExecSession, user: string, password: Secret): Promise<void> {
        const { status, stderr } = await exec.execBytes(command(user), {
          signal,
          timeoutMs: 30_000,
          input: Buffer.from(input(user, password.reveal())),
        });
        if (status === 0) return;
        const why = stderr.trim().split('\n').at(-1) || `exit status ${status}`;
        throw new DeviceRejected(name, `the password of ${user} was not changed: ${why}`);
      }
    },
  };
}
