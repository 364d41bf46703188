/**
 * Juniper Junos: passwords of local users.
 *
 * Tried with: its simulator only.
 * Oddities: the password is asked for twice, without an echo. A commit is in force and saved.
 * Source: Junos OS User Access and Authentication Guide, "plain-text-password"; CLI User Guide, "Committing a Configuration".
 */
import {
  type CliSession,
  DeviceRefused,
  type Dialect,
  escapePattern,
  openCli,
  targetOf,
} from '@skolo/equipment';
import type { Accounts } from '../contract/accounts.ts';
import { junos } from './dialect.ts';

/** At a terminal, where it answers questions with a new value. */
function dialectWith(value = ''): Dialect {
  return {
    ...junos,
    name: 'junos',
    prompt: /^(?<base>[\w.-]+@[\w.-]+)[>#]$/,
    prompts: (base) => `${escapePattern(base)}[>#]`,
    setUp: ['set cli screen-length 0', 'set cli screen-width 0', 'set cli complete-on-space off'],
    pagers: [{ line: /^(?:New|Retype new) password:$/i, key: `${value}\r` }],
    signOut: ['exit'],
  };
}

export const accounts: Accounts = {
  parts: ['password'],
  async open(device, access, signal) {
    const target = await targetOf(device, access, 'ssh');
    const { username = '' } = target.credentials;
    const within = { signal, timeoutMs: 60_000 };
    let session: CliSession = await openCli(target, 'ssh', dialectWith(), access, signal);
    const path = `system login user ${username}`;
    return {
      async set({ password }) {
        if (password === undefined) return;
        await session.close();
        session = await openCli(target, 'ssh', dialectWith(password.reveal()), access, signal);
        const own = await session.run(`show configuration ${path} | display set`, within);
        if (!own.includes(`${path} authentication`)) {
          throw new DeviceRefused(
            device.name,
            `its configuration has no password of ${username}; is that kept on a server?`,
          );
        }
        // Nobody else's changes are committed with it, and it is discarded if it is not committed.
        await session.run('configure exclusive', within);
        await session.run(`set ${path} authentication plain-text-password`, within);
        const said = await session.run('commit and-quit', within);
        if (!/^commit complete$/m.test(said)) {
          throw new DeviceRefused(device.name, `does not commit: ${said.trim().slice(-200)}`);
        }
      },
      async save() {},
      close: () => session.close(),
    };
  },
};
