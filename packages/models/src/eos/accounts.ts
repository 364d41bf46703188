/**
 * Arista EOS: passwords of local users, and the enable password.
 *
 * Tried with: its simulator only.
 * Oddities: privilege and role of a user are in the statement, and are repeated.
 * Source: Arista EOS User Manual, "User Security": `username`, `enable password`; "Managing the Switch Configuration".
 */
import { cliAccounts, plainBehind } from '../families/command-line/accounts.ts';
import { eos } from './dialect.ts';

export const accounts = cliAccounts({
  dialect: eos,
  running: 'show running-config',
  enter: 'configure terminal',
  leave: 'end',
  statements: {
    password: {
      find: (user) =>
        String.raw`^(?<start>username ${user}(?: privilege \d+)?(?: role \S+)? secret) `,
      write: plainBehind,
    },
    enablePassword: {
      find: () => '^(?<start>enable (?:secret|password)) ',
      write: plainBehind,
    },
  },
  save: { commands: ['write memory'], done: /Copy completed successfully/i },
});
