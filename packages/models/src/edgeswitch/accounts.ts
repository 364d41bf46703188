/**
 * Ubiquiti EdgeSwitch (Broadcom's Fastpath): passwords of users, and the enable password.
 *
 * Tried with: its simulator only.
 * Oddities: without `level` a user falls back to level 1, so the level of the configuration is repeated. Saving asks (y/n).
 * Source: Broadcom Fastpath as in Netgear's and Dell's CLI references, "username", "enable password"; EdgeSwitch CLI Command
 * Reference (Ubiquiti), "write memory".
 */
import { cliAccounts } from '../families/command-line/accounts.ts';
import { fastpath } from '../families/fastpath/fastpath.ts';

export const accounts = cliAccounts({
  dialect: {
    ...fastpath,
    pagers: [...fastpath.pagers, { line: /^Are you sure you want to save\? \(y\/n\)$/, key: 'y' }],
  },
  running: 'show running-config',
  enter: 'configure',
  leave: 'end',
  statements: {
    password: {
      find: (user) =>
        String.raw`^(?<start>username "?${user}"? password) \S+(?: (?<level>level \d+))?`,
      write: (value, { start, level = 'level 1' }) => `${start} ${value} ${level}`,
    },
    enablePassword: {
      find: () => '^enable password ',
      write: (value) => `enable password ${value}`,
    },
  },
  save: { commands: ['write memory'], done: /Configuration Saved!/i },
});
