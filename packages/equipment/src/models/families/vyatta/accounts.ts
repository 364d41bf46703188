/**
 * EdgeOS and VyOS: users' passwords and ssh keys. A commit activates changes, and `save` keeps them.
 *
 * Verified with: their simulators only.
 * Quirks: a password is typed in plain text, and stored as a hash. It does not get into a shell history, because configuration mode has
 * its own.
 * Source: EdgeOS User Guide and VyOS User Guide, "system login user"; vyatta-cfg-system (login).
 */
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Accounts } from '../../contract/accounts.ts';
import { openCliOf } from '../command-line/session.ts';
import { vyatta } from './dialect.ts';

export const accounts: Accounts = {
  parts: ['password'],
  hasKeys: true,
  async open(device, access, signal) {
    const { username = '' } = await access.credentials();
    const session = await openCliOf(device, access, vyatta, signal);
    const { name } = device;
    const path = `system login user ${username} authentication`;
    const run = (command: string) => session.run(command, { signal, timeoutMs: 120_000 });
    return {
      async set({ password }) {
        if (password !== undefined)
          await change([`set ${path} plaintext-password ${quoted(password.reveal())}`]);
      },
      async addKey(text, comment) {
        const [type = '', key = ''] = text.split(' ');
        if ((await keyNames(key)).length > 0) return;
        const own = `${path} public-keys ${quoted(`${comment}-${key.slice(-8).replace(/\W/g, '')}`)}`;
        await change([`set ${own} type ${type}`, `set ${own} key ${quoted(key)}`]);
      },
      async removeKey({ key, kept }) {
        const [, stays = ''] = kept.split(' ');
        const [, goes = ''] = key.split(' ');
        if ((await keyNames(stays)).length === 0) {
          throw new DeviceRejected(name, 'the new key is not in its configuration');
        }
        const names = await keyNames(goes);
        if (names.length === 0) return;
        await change(names.map((each) => `delete ${path} public-keys ${quoted(each)}`));
      },
      async save() {
        await run('configure');
        const said = await run('save');
        if (!/^Done$/m.test(said))
          throw new DeviceRejected(name, 'did not confirm that it saved the change');
        await run('exit');
      },
      close: () => session.close(),
    };

    async function change(lines: readonly string[]): Promise<void> {
      await run('configure');
      try {
        for (const line of lines) await run(line);
        const said = await run('commit');
        if (/failed|locked|error/i.test(said)) {
          throw new DeviceRejected(name, `did not commit the change: ${said.trim().slice(-200)}`);
        }
      } finally {
        if (session.isOpen()) await run('exit discard');
      }
    }

    /** Names of the user's public keys with this content. */
    async function keyNames(key: string): Promise<string[]> {
      const shown = (
        await session.read('show configuration commands', { signal, timeoutMs: 60_000 })
      ).toString();
      return shown.split('\n').flatMap((line) => {
        const [, own, value] =
          new RegExp(`^set ${path} public-keys (\\S+) key (\\S+)$`).exec(line.trim()) ?? [];
        return own !== undefined && bare(value) === key ? [bare(own)] : [];
      });
    }
  },
};

function quoted(value: string): string {
  if (/^[\w.@+/=-]+$/.test(value)) return `'${value}'`;
  throw new TypeError('the value contains characters that a shell interprets');
}

function bare(word = ''): string {
  return word.replace(/^(['"])(.*)\1$/, '$2');
}
